// One connection to a real Redis in RESP2. Commands go out in the order they were sent, so they may be sent without waiting.
import { createConnection, type Socket } from 'node:net'
import type { Bytes } from './bytes.ts'
import { type Reply, ReplyError, Status } from './reply.ts'

interface Waiting {
  resolve(reply: Reply): void
  reject(error: Error): void
}

export class RespConnection {
  #socket: Socket
  #waiting: Waiting[] = []
  #lost: Error | undefined
  #text = ''
  #at = 0

  constructor(socket: Socket) {
    this.#socket = socket.setEncoding('latin1')
    socket.on('data', (chunk) => this.#read(String(chunk)))
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose(new Error('The connection to redis-server was lost.')))
  }

  static async open(port: number): Promise<RespConnection> {
    const socket = createConnection(port, '127.0.0.1').setNoDelay()
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
    })
    return new RespConnection(socket)
  }

  /** An error of Redis is a reply; rejects only when the connection is lost. */
  send(words: Bytes[]): Promise<Reply> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    this.#socket.write(encode(words), 'latin1')
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  close(): void {
    this.#socket.destroy()
  }

  #lose(error: Error): void {
    this.#lost ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost)
  }

  #read(chunk: string): void {
    this.#text += chunk
    for (let reply = this.#next(); reply !== undefined; reply = this.#next()) {
      this.#waiting.shift()?.resolve(reply)
      this.#text = this.#text.slice(this.#at)
      this.#at = 0
    }
    this.#at = 0
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

const encode = (words: Bytes[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
