// The engine against a real Redis 7: the same command lines, the same replies and error texts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bytes } from '../../../local/redis/bytes.ts'
import { Engine } from '../../../local/redis/engine.ts'
import { type Reply, ReplyError, Status } from '../../../local/redis/reply.ts'
import { RespConnection } from '../../../local/redis/resp-connection.ts'
import { redisServerFound, type ThrowawayRedis, throwawayRedis } from '../../../local/redis/throwaway-redis.ts'
import { directedCommands } from './directed-commands.ts'
import { randomCommands } from './random-commands.ts'

/** Redis promises no order for these. */
const unordered = new Set(['KEYS', 'SMEMBERS', 'SUNION', 'SINTER', 'SDIFF'])

function comparable(reply: Reply, [name = '']: Bytes[] = []): unknown {
  if (reply instanceof Status) return { status: reply.text }
  if (reply instanceof ReplyError) return { error: reply.message }
  if (typeof reply === 'bigint') return Number.isSafeInteger(Number(reply)) ? Number(reply) : reply
  if (!Array.isArray(reply)) return reply
  const items = reply.map((item) => comparable(item))
  return unordered.has(name.toUpperCase()) ? items.sort() : items
}

const found = redisServerFound()
if (!found) console.warn('differential.test.ts is skipped: there is no redis-server on PATH to compare with')

describe.skipIf(!found)('the engine answers as a real Redis does', () => {
  let server: ThrowawayRedis
  let connection: RespConnection

  beforeAll(async () => {
    server = await throwawayRedis()
    connection = await RespConnection.open(server.port)
  })
  afterAll(async () => {
    connection.close()
    await server.stop()
  })

  const ask = (commands: Bytes[][]) => Promise.all(commands.map((words) => connection.send(words)))

  async function expectSame(commands: Bytes[][]): Promise<void> {
    await ask([['FLUSHALL'], ['SCRIPT', 'FLUSH']])
    const engine = new Engine()
    const theirs = await ask(commands)
    const line = (words: Bytes[], reply: Reply | undefined, at: number) => ({
      at,
      command: words.join(' '),
      reply: comparable(reply ?? null, words),
    })
    const ours = commands.map((words, at) => line(words, engine.execute(words), at))
    expect(ours).toEqual(commands.map((words, at) => line(words, theirs[at], at)))
  }

  it('for commands chosen by hand', () => expectSame(directedCommands))

  it.each([1, 2, 3, 4, 5])('for 800 random commands of seed %i', (seed) => expectSame(randomCommands(seed, 800)))

  it('about the arity of every command, and whether it writes', async () => {
    const { commands } = new Engine()
    const names = Object.keys(commands)
    const rows = await ask(names.map((name) => ['COMMAND', 'INFO', name]))
    const theirs = rows.map((row) => {
      const [info] = Array.isArray(row) ? row : []
      const [name, arity, flags] = Array.isArray(info) ? info : []
      return {
        name,
        arity,
        writes:
          Array.isArray(flags) &&
          flags.some((flag) => comparable(flag) === 'write' || (flag instanceof Status && flag.text === 'write')),
      }
    })
    expect(theirs).toEqual(
      Object.entries(commands).map(([name, { arity, writes }]) => ({ name: name.toLowerCase(), arity, writes })),
    )
  })

  it('about which keys are left, and what they hold, after random commands', async () => {
    const commands = randomCommands(99, 1500)
    await ask([['FLUSHALL']])
    await ask(commands)
    const engine = new Engine()
    for (const words of commands) engine.execute(words)
    const reading: Record<string, (key: Bytes) => Bytes[]> = {
      string: (key) => ['GET', key],
      hash: (key) => ['HGETALL', key],
      list: (key) => ['LRANGE', key, '0', '-1'],
      set: (key) => ['SMEMBERS', key],
      zset: (key) => ['ZRANGE', key, '0', '-1'],
      stream: (key) => ['XRANGE', key, '-', '+'],
    }
    const reads = [...engine.keys.entries()].flatMap(([key, { type }]) => [['TYPE', key], reading[type]?.(key) ?? []])
    reads.push(['DBSIZE'])
    const theirs = await ask(reads)
    expect(reads.length).toBeGreaterThan(3)
    expect(reads.map((words) => comparable(engine.execute(words), words))).toEqual(
      theirs.map((reply, at) => comparable(reply, reads[at])),
    )
  })
})
