// A real Postgres server for a test or a bench: a fresh one in a temporary directory, gone when stopped.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { freePort } from '../free-port.ts'

export interface ThrowawayPostgres {
  /** Superuser, no password, loopback only. */
  connectionString: string
  pid: number
  stop(): Promise<void>
}

export interface ThrowawayPostgresOptions {
  /** Off: commits do not wait for the disk; for tests that ask about order and not about cost. */
  fsync?: boolean
}

/** Where `initdb` and `postgres` are: the newest of Debian's, else on the PATH; undefined where there are none. */
export function postgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const places = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return places.find((place) => ['initdb', 'postgres'].every((program) => existsSync(join(place, program))))
}

export async function throwawayPostgres({ fsync = true }: ThrowawayPostgresOptions = {}): Promise<ThrowawayPostgres> {
  const binaries = postgresBinaries()
  if (binaries === undefined) throw new Error('No Postgres server found: install one (apt install postgresql).')
  const directory = mkdtempSync(join(tmpdir(), 'recollect-postgres-'))
  const account = unprivileged()
  if (account !== undefined) chownSync(directory, account.uid, account.gid)
  const run = { ...account, cwd: directory }
  const data = join(directory, 'data')
  const create = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
  await promisify(execFile)(join(binaries, 'initdb'), create, run)

  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    timezone: 'UTC',
    fsync: fsync ? 'on' : 'off',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(binaries, 'postgres'), ['-D', data, ...flags], { ...run, stdio: 'ignore' })
  const killAtExit = () => server.kill('SIGQUIT')
  process.once('exit', killAtExit)
  const connectionString = `postgresql://postgres@127.0.0.1:${port}/postgres`
  const stop = async () => {
    process.off('exit', killAtExit)
    await ended(server)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await answering(connectionString, server)
  } catch (error) {
    await stop()
    throw error
  }
  return { connectionString, pid: server.pid ?? 0, stop }
}

/** Postgres refuses to run as root, so root hands it to the account that the package made, or to nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(accounts) ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('Postgres does not run as root, and there is no account postgres or nobody to run it as.')
}

async function answering(connectionString: string, server: ChildProcess) {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null)
      throw new Error(`The Postgres server ended with code ${server.exitCode} before it answered.`)
    const client = new Client({ connectionString })
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('The Postgres server did not answer within 10 seconds.')
}

function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    server.once('exit', () => resolve())
    // Ends without waiting for open connections, and without a checkpoint that nobody will read.
    server.kill('SIGQUIT')
  })
}
