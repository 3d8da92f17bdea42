// What outlives the process: J1 and J2 of the journal, E2 of the engine.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from '@upstash/redis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Engine } from '../../../local/redis/engine.ts'
import { Journal } from '../../../local/redis/journal.ts'
import { upstashRedis } from '../../../local/redis/server.ts'
import { snapshot } from '../../../local/redis/snapshot.ts'
import { randomCommands } from './random-commands.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-journal-'))
  file = join(folder, 'data', 'redis.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(clock: () => number = Date.now) {
  const engine = new Engine({ clock })
  const journal = new Journal(file, engine)
  return { engine, journal }
}

const contents = (engine: Engine) => [...snapshot(engine.keys)]

const lines = () => readFileSync(file, 'utf8').trimEnd().split('\n')

describe('E2: a journal replays to the same data', () => {
  it.each([11, 12, 13])('after 1,000 random commands of seed %i', (seed) => {
    let now = 1_800_000_000_000
    const first = open(() => (now += 7))
    for (const words of randomCommands(seed, 1000)) first.engine.execute(words)
    first.engine.execute(['SADD', 'chance', 'a', 'b', 'c', 'd'])
    first.engine.execute(['SPOP', 'chance', '2'])
    first.journal.close()
    const second = open(() => now)
    expect(contents(second.engine)).toEqual(contents(first.engine))
    second.journal.close()
  })

  it('an expiry is kept as a time: what expired meanwhile is gone, the rest goes when it would have', () => {
    let now = 1000
    const first = open(() => now)
    first.engine.execute(['SET', 'short', 'x', 'PX', '100'])
    first.engine.execute(['SET', 'long', 'x', 'PX', '1000'])
    first.journal.close()
    now = 1500
    const second = open(() => now)
    expect(second.engine.execute(['MGET', 'short', 'long'])).toEqual([null, 'x'])
    expect(second.engine.execute(['PTTL', 'long'])).toBe(500)
    second.journal.close()
  })

  it('a counter that began anew after its key expired is counted anew', () => {
    let now = 1000
    const first = open(() => now)
    first.engine.execute(['SET', 'n', '5', 'PX', '100'])
    now = 1100
    first.engine.execute(['INCR', 'n'])
    first.journal.close()
    const second = open(() => now)
    expect(second.engine.execute(['GET', 'n'])).toBe('1')
    second.journal.close()
  })
})

describe('J1: a unit is one line', () => {
  it('a script is kept as the writes it made, in one line', () => {
    const { engine, journal } = open()
    engine.execute(['EVAL', "redis.call('set', 'a', 1) redis.call('get', 'a') redis.call('incr', 'a')", '0'])
    journal.close()
    expect(lines().map((line) => JSON.parse(line).slice(1))).toEqual([
      [
        ['set', 'a', '1'],
        ['incr', 'a'],
      ],
    ])
  })

  it('a transaction is one line, and reads and failures are none', () => {
    const { engine, journal } = open()
    engine.transaction([
      ['SET', 'a', 'x'],
      ['INCR', 'a'],
      ['DEL', 'a'],
    ])
    engine.execute(['GET', 'a'])
    engine.execute(['INCRBY', 'a', 'x'])
    journal.close()
    expect(lines().map((line) => JSON.parse(line).slice(1))).toEqual([
      [
        ['SET', 'a', 'x'],
        ['DEL', 'a'],
      ],
    ])
  })

  it('a server that is killed has kept every write it answered', async () => {
    const program = `
      const { upstashRedis } = await import(${JSON.stringify(new URL('../../../local/redis/server.ts', import.meta.url).href)})
      const { url } = await upstashRedis({ token: 't', file: ${JSON.stringify(file)} })
      process.stdout.write(url)`
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', program])
    const url = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))))
    const client = new Redis({ url, token: 't', retry: { retries: 0 } })
    let answered = 0
    const writing = (async () => {
      for (;;) answered = await client.incr('n')
    })().catch(() => undefined)
    await expect.poll(() => answered).toBeGreaterThan(50)
    child.kill('SIGKILL')
    await writing
    const server = await upstashRedis({ token: 't', file })
    const kept = await new Redis({ url: server.url, token: 't' }).get<number>('n')
    await server.close()
    expect(kept).toBeGreaterThanOrEqual(answered)
    expect(kept).toBeLessThanOrEqual(answered + 1)
  })
})

describe('J2: damage', () => {
  it('a torn last line is dropped, and the next write does not join it', () => {
    const first = open()
    first.engine.execute(['SET', 'a', '1'])
    first.journal.close()
    appendFileSync(file, '[1800000000000,["SET","a","2')
    const second = open()
    expect(second.engine.execute(['GET', 'a'])).toBe('1')
    second.engine.execute(['SET', 'b', '3'])
    second.journal.close()
    expect(lines()).toHaveLength(2)
  })

  it('a damaged line in the middle is an error that names the line', () => {
    const { engine, journal } = open()
    engine.execute(['SET', 'a', '1'])
    journal.close()
    writeFileSync(file, `${lines()[0]}\nnot json\n${lines()[0]}\n`)
    expect(() => open()).toThrow('line 2: not a journal line')
  })
})

describe('compaction', () => {
  it('a journal that is mostly history is written anew, with all types and expiries', () => {
    const { engine, journal } = open(() => 1_800_000_000_000)
    engine.execute(['HSET', 'hash', 'f', 'é'])
    engine.execute(['RPUSH', 'list', ...Array.from({ length: 2500 }, (_, at) => `item ${at}`)])
    engine.execute(['SADD', 'set', 'a', 'b'])
    engine.execute(['ZADD', 'zset', '1.5', 'a', 'inf', 'b'])
    engine.execute(['XADD', 'stream', '1-1', 'f', 'v'])
    engine.execute(['XADD', 'stream', '2-1', 'f', 'v'])
    engine.execute(['XDEL', 'stream', '2-1'])
    engine.execute(['XADD', 'emptied', '5-1', 'f', 'v'])
    engine.execute(['XDEL', 'emptied', '5-1'])
    engine.execute(['SET', 'text', 'nul\0', 'EX', '100'])
    const big = 'x'.repeat(10_000)
    for (let at = 0; at < 300; at++) engine.execute(['SET', 'big', `${big}${at}`])
    expect(statSync(file).size).toBeLessThan(1_200_000)
    engine.execute(['SET', 'after', 'compaction'])
    journal.close()
    const again = open(() => 1_800_000_000_000)
    expect(contents(again.engine)).toEqual(contents(engine))
    expect(again.engine.execute(['XADD', 'emptied', '5-1', 'f', 'v'])).toBeInstanceOf(Error)
    again.journal.close()
  })
})
