// A real redis-server on a free port, without persistence, and the few lines of RESP needed to ask it.
import { spawn, spawnSync } from 'node:child_process'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bytes } from '../../../local/redis/bytes.ts'
import { type Reply, ReplyError, Status } from '../../../local/redis/reply.ts'

export const realRedisFound = spawnSync('redis-server', ['--version']).status === 0

export interface RealRedis {
  /** All commands in one write, all replies in order. */
  ask(commands: Bytes[][]): Promise<Reply[]>
  close(): Promise<void>
}

export async function realRedis(): Promise<RealRedis> {
  const port = await freePort()
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { cwd: tmpdir() })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const socket = await connect(port)
  const parser = new Replies(socket)
  return {
    ask: (commands) => {
      socket.write(commands.map(encode).join(''), 'latin1')
      return parser.take(commands.length)
    },
    close: async () => {
      socket.destroy()
      server.kill()
      await ended
    },
  }
}

const encode = (words: Bytes[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`

class Replies {
  #text = ''
  #at = 0
  #done: Reply[] = []
  #check = () => {}

  constructor(socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#text += chunk
      for (let reply = this.#next(); reply !== undefined; reply = this.#next()) {
        this.#done.push(reply)
        this.#text = this.#text.slice(this.#at)
        this.#at = 0
      }
      this.#at = 0
      this.#check()
    })
  }

  take(size: number): Promise<Reply[]> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (this.#done.length >= size) resolve(this.#done.splice(0, size))
      }
      this.#check()
    })
  }

  /** Undefined while the reply has not arrived whole. */
  #next(): Reply | undefined {
    const end = this.#text.indexOf('\r\n', this.#at)
    if (end < 0) return undefined
    const kind = this.#text[this.#at]
    const line = this.#text.slice(this.#at + 1, end)
    this.#at = end + 2
    if (kind === '+') return new Status(line)
    if (kind === '-') return new ReplyError(line)
    if (kind === ':') return Number.isSafeInteger(Number(line)) ? Number(line) : BigInt(line)
    if (line === '-1') return null
    return kind === '$' ? this.#bulk(Number(line)) : this.#array(Number(line))
  }

  #bulk(size: number): Bytes | undefined {
    const start = this.#at
    this.#at = start + size + 2
    return this.#text.length < this.#at ? undefined : this.#text.slice(start, start + size)
  }

  #array(size: number): Reply[] | undefined {
    const items: Reply[] = []
    while (items.length < size) {
      const item = this.#next()
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function connect(port: number): Promise<Socket> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = createConnection(port, '127.0.0.1')
    const connected = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (connected) return socket
    await sleep(50)
  }
  throw new Error(`redis-server did not listen on port ${port}`)
}
