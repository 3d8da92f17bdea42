// The engine for faults and measurements: a real redis-server over TCP, made to take what Upstash takes.
//
// R1  There is one connection for all callers, so what would block or change it is refused.
// R2  Upstash's flag `allow-key-locking` is unknown to Redis: it is taken out of a script, whose hash is then another one.
//     Callers go on naming the script by the hash of what they sent.
import type { Bytes } from './bytes.ts'
import { type Reply, ReplyError } from './reply.ts'
import { RespConnection } from './resp-connection.ts'
import type { RestEngine } from './rest.ts'
import { sha1 } from './scripts.ts'
import { blockingRead, unavailable } from './unavailable.ts'

const bySource = new Set(['EVAL', 'EVAL_RO'])
const byHash = new Set(['EVALSHA', 'EVALSHA_RO'])

export class RealEngine implements RestEngine {
  /** Over one shared connection there are no subscriptions. */
  readonly channels = undefined
  #connection: RespConnection
  /** Hash of what callers sent → hash that Redis knows it by. */
  #hashes = new Map<Bytes, Bytes>()

  constructor(connection: RespConnection) {
    this.#connection = connection
  }

  static async open(port: number): Promise<RealEngine> {
    return new RealEngine(await RespConnection.open(port))
  }

  async execute(words: Bytes[]): Promise<Reply> {
    return refused(words) ?? this.#connection.send(this.#translated(words))
  }

  async transaction(commands: Bytes[][]): Promise<Reply[]> {
    for (const words of commands) {
      const refusal = refused(words)
      if (refusal !== undefined) throw refusal
    }
    // Sent at once, nothing of another caller comes in between.
    const replies = [['MULTI'], ...commands.map((words) => this.#translated(words)), ['EXEC']].map((words) =>
      this.#connection.send(words),
    )
    const [, ...queued] = await Promise.all(replies)
    const results = queued.pop()
    if (Array.isArray(results)) return results
    throw queued.find((reply) => reply instanceof ReplyError) ?? results
  }

  close(): void {
    this.#connection.close()
  }

  #translated(words: Bytes[]): Bytes[] {
    const [name = '', second = '', third = ''] = words
    const command = name.toUpperCase()
    if (bySource.has(command)) return words.with(1, this.#source(second))
    if (byHash.has(command)) return words.with(1, this.#hash(second))
    if (command !== 'SCRIPT') return words
    if (second.toUpperCase() === 'LOAD' && words.length === 3) return words.with(2, this.#source(third))
    if (second.toUpperCase() === 'EXISTS') return [name, second, ...words.slice(2).map((hash) => this.#hash(hash))]
    return words
  }

  #hash(hash: Bytes): Bytes {
    return this.#hashes.get(hash.toLowerCase()) ?? hash
  }

  #source(sent: Bytes): Bytes {
    const known = withoutKeyLocking(sent)
    if (known !== sent) this.#hashes.set(sha1(sent), sha1(known))
    return known
  }
}

function refused(words: Bytes[]): ReplyError | undefined {
  const name = words[0]?.toUpperCase()
  // A key may be called so too; then it is refused without need, in a test.
  const blocks = (name === 'XREAD' || name === 'XREADGROUP') && words.some((word) => word.toUpperCase() === 'BLOCK')
  return blocks ? blockingRead(name) : unavailable(words)
}

/** `#!lua flags=allow-key-locking,no-writes` → `#!lua flags=no-writes`. */
function withoutKeyLocking(source: Bytes): Bytes {
  return source.replace(/^#![^\n]*/, (shebang) =>
    shebang.replace(/\s+flags=(\S*)/, (_, flags: string) => {
      const left = flags.split(',').filter((flag) => flag !== 'allow-key-locking')
      return left.length === 0 ? '' : ` flags=${left.join(',')}`
    }),
  )
}
