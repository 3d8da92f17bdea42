// Time, chance and the walls around a script: what a real Redis cannot be asked to hold still for.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { glob } from '../../../local/glob.ts'
import { Engine } from '../../../local/redis/engine.ts'
import { formatG } from '../../../local/redis/lua/numbers.ts'
import { ReplyError } from '../../../local/redis/reply.ts'

function engineAt(start: number) {
  const time = { now: start }
  const engine = new Engine({ clock: () => time.now })
  const run = (...words: string[]) => {
    const reply = engine.execute(words)
    return reply instanceof ReplyError ? reply.message : reply
  }
  return { time, engine, run }
}

it('commands.md lists exactly the commands there are', () => {
  const page = readFileSync(new URL('../../../local/redis/commands.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('## Commands'), page.indexOf('Anything else'))
  const listed = [...table.replace(/\([^)]*\)/g, '').matchAll(/(?:SCRIPT |PUBSUB )?\b[A-Z][A-Z_]+\b/g)].map(
    ([name]) => name,
  )
  const known = Object.keys(engineAt(0).engine.commands).map((name) => name.replace('|', ' '))
  expect(listed.toSorted()).toEqual(known.toSorted())
})

describe('expiry', () => {
  it('a key is there until its time and not at it', () => {
    const { time, run } = engineAt(1000)
    run('SET', 'a', 'b', 'PX', '500')
    time.now = 1499
    expect([run('GET', 'a'), run('PTTL', 'a')]).toEqual(['b', 1])
    time.now = 1500
    expect([run('GET', 'a'), run('PTTL', 'a'), run('EXISTS', 'a')]).toEqual([null, -2, 0])
  })

  it('keys that expired unread are in no scan, count or listing', () => {
    const { time, run } = engineAt(1000)
    run('SET', 'gone', 'x', 'PX', '10')
    run('SET', 'here', 'x')
    time.now = 2000
    expect(run('SCAN', '0')).toEqual(['0', ['here']])
    expect([run('DBSIZE'), run('KEYS', '*'), run('RANDOMKEY')]).toEqual([1, ['here'], 'here'])
  })

  it('a write to a key that expired begins a new one', () => {
    const { time, run } = engineAt(1000)
    run('RPUSH', 'a', 'old')
    run('PEXPIRE', 'a', '10')
    time.now = 1010
    expect(run('RPUSH', 'a', 'new')).toBe(1)
    expect(run('PTTL', 'a')).toBe(-1)
  })

  it('the clock stands still inside a script and a transaction', () => {
    let now = 1000
    const engine = new Engine({ clock: () => now++ })
    const [first, second] = engine.transaction([['TIME'], ['TIME']])
    expect(first).toEqual(second)
    expect(engine.execute(['TIME'])).not.toEqual(first)
  })

  it('a clock that is set back revives nothing', () => {
    const { time, run } = engineAt(1000)
    run('SET', 'a', 'b', 'PX', '10')
    time.now = 1010
    expect(run('GET', 'a')).toBeNull()
    time.now = 900
    run('SET', 'c', 'd', 'PX', '10')
    expect(run('PTTL', 'c')).toBe(10)
    expect(run('TIME')).toEqual(['1', '10000'])
  })

  it('stream ids follow the clock, and grow where it does not', () => {
    const { time, run } = engineAt(5000)
    expect([run('XADD', 's', '*', 'f', 'v'), run('XADD', 's', '*', 'f', 'v')]).toEqual(['5000-0', '5000-1'])
    time.now = 6000
    expect(run('XADD', 's', '*', 'f', 'v')).toBe('6000-0')
  })
})

describe('scripts', () => {
  it('one script cannot change what another finds', () => {
    const { run } = engineAt(0)
    run('EVAL', "rawset(_G, 'leak', 1)", '0')
    run('EVAL', 'KEYS = 7 math = 8', '0')
    expect(run('EVAL', 'return leak', '0')).toContain("nonexistent global variable 'leak'")
    expect(run('EVAL', 'return {type(KEYS), math.floor(2.5)}', '0')).toEqual(['table', 2])
  })

  it('what a script wrote before it failed stays written', () => {
    const { run } = engineAt(0)
    expect(run('EVAL', "redis.call('set', 'a', 'b') error('late')", '0')).toContain('late')
    expect(run('GET', 'a')).toBe('b')
  })

  it('a compiled script is forgotten by SCRIPT FLUSH', () => {
    const { run } = engineAt(0)
    const sha = run('SCRIPT', 'LOAD', 'return 7') as string
    expect(run('EVALSHA', sha, '0')).toBe(7)
    run('SCRIPT', 'FLUSH')
    expect(run('EVALSHA', sha, '0')).toBe('NOSCRIPT No matching script. Please use EVAL.')
  })

  it('precompiled Lua is refused', () => {
    expect(engineAt(0).run('EVAL', '\x1bLua', '0')).toContain('Error compiling script')
  })
})

describe('chance', () => {
  it('a pop takes different members until none is left', () => {
    const { run } = engineAt(0)
    run('SADD', 's', 'a', 'b', 'c')
    const popped = [run('SPOP', 's'), ...(run('SPOP', 's', '5') as string[])]
    expect(popped.toSorted()).toEqual(['a', 'b', 'c'])
    expect(run('SPOP', 's')).toBeNull()
  })

  it('a negative count may repeat a member, a positive one may not', () => {
    const { run } = engineAt(0)
    run('HSET', 'h', 'a', '1', 'b', '2')
    expect(run('HRANDFIELD', 'h', '-5')).toHaveLength(5)
    expect((run('HRANDFIELD', 'h', '5') as string[]).toSorted()).toEqual(['a', 'b'])
  })
})

describe('text', () => {
  it.each([
    ['*', 'any/\nthing', true],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h[a-c]t', 'hbt', true],
    ['h[^a]t', 'hat', false],
    ['h[c-a]t', 'hbt', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a.b', 'axb', false],
    ['[]', 'x', false],
    ['[a', 'a', true],
  ])('the pattern %j on %j is %j', (pattern, text, matches) => {
    expect(glob(pattern)(text)).toBe(matches)
  })

  it('many stars do not make matching slow', () => {
    const before = process.cpuUsage()
    expect(glob(`${'*'.repeat(50)}b`)('a'.repeat(5000))).toBe(false)
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1000)
  })

  it.each([
    [5, '5'],
    [0.1, '0.10000000000000001'],
    [1e17, '1e+17'],
    [1.5e-7, '1.4999999999999999e-07'],
    [123456789012, '123456789012'],
    [-0, '-0'],
  ])('C prints %d with 17 digits as %s', (value, text) => {
    expect(formatG(value, 17)).toBe(text)
  })
})
