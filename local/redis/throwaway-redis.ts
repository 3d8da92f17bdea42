// A real redis-server for a test or a bench: a fresh one on a free port, without persistence, gone when stopped.
import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { RespConnection } from './resp-connection.ts'

export interface ThrowawayRedis {
  port: number
  pid: number
  stop(): Promise<void>
}

/** Whether there is a `redis-server` on the PATH. */
export function redisServerFound(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

export async function throwawayRedis(): Promise<ThrowawayRedis> {
  if (!redisServerFound()) throw new Error('No Redis server found: install one (apt install redis-server).')
  const port = await freePort()
  const flags = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', flags, { cwd: tmpdir(), stdio: 'ignore' })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const killAtExit = () => server.kill('SIGKILL')
  process.once('exit', killAtExit)
  const stop = async () => {
    process.off('exit', killAtExit)
    server.kill('SIGKILL')
    await ended
  }
  for (let attempt = 0; attempt < 200 && server.exitCode === null; attempt++) {
    const connection = await RespConnection.open(port).catch(() => undefined)
    connection?.close()
    if (connection !== undefined) return { port, pid: server.pid ?? 0, stop }
    await sleep(25)
  }
  await stop()
  throw new Error(`redis-server did not listen on port ${port} within 5 seconds.`)
}
