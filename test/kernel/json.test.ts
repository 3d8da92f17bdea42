// The codec of state: what goes in comes out, in kind and in value, and nothing in it comes to life.
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/kernel/json.ts'
import { forSeeds, randomValue } from './random.ts'

const refusal = (value: unknown) => {
  try {
    encode(value)
  } catch (error) {
    return error
  }
  return undefined
}

describe('the codec', () => {
  test.each([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['the infinities', [Infinity, -Infinity]],
    ['-0', -0],
    ['bigint', 2n ** 80n],
    ['Date', new Date('2026-02-03T04:05:06.789Z')],
    ['an invalid Date', new Date(Number.NaN)],
    [
      'Map',
      new Map<unknown, unknown>([
        [{ a: 1 }, new Set([1])],
        [undefined, Number.NaN],
      ]),
    ],
    ['Set', new Set([1, '1', [1], undefined])],
    ['Uint8Array', new Uint8Array([0, 255, 128])],
    ['an empty Uint8Array', new Uint8Array()],
    ['a hole in an array', [1, undefined, 3]],
    ['the key $', { $: ['Date', 0] }],
    ['the key $ below the key $', { $: { $: { $: 1 } }, a: undefined }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['text that looks like a tag', '{"$":["Date",0]}'],
    ['lone surrogates and NUL', '\ud83d\u0000\ude00'],
  ])('keeps %s', (_, value) => {
    const back = decode(encode({ value }))
    expect(back).toStrictEqual({
      value: value instanceof Object || value === null || typeof value !== 'object' ? value : { ...value },
    })
    expect(encode(back)).toBe(encode({ value }))
  })

  test('keeps 2,000 random values', () => {
    forSeeds(2_000, (random) => {
      const value = randomValue(random, 4)
      const text = encode(value)
      const back = decode(text)
      expect(isDeepStrictEqual(back, value)).toBe(true)
      expect(encode(back)).toBe(text)
    })
  })

  test('writes plain data as plain JSON', () => {
    const plain = { text: 'x', list: [1, null, true], nested: { a: {} } }
    expect(encode(plain)).toBe(JSON.stringify(plain))
  })

  test('gives bytes of a Buffer back as a Uint8Array', () => {
    const back = decode(encode(Buffer.from('hi')))
    expect(back).toStrictEqual(new Uint8Array([104, 105]))
  })

  test('takes __proto__ for a key like any other', () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"d":1}')
    for (const value of [hostile, { ...hostile, odd: undefined }, new Map([['__proto__', hostile]])]) {
      const back = decode(encode(value))
      expect(isDeepStrictEqual(back, value)).toBe(true)
    }
    const record = decode(encode({ inner: hostile, odd: undefined })) as { inner: object }
    expect(Object.hasOwn(record.inner, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(record.inner)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
    const tagged = decode('{"$":["Object",[["__proto__",{"polluted":true}],["$",1]]]}') as object
    expect('polluted' in tagged).toBe(false)
  })

  test.each([
    ['a function', { a: { list: [0, () => 1] } }, /a\.list\.1 is a function/],
    ['a symbol', { a: Symbol('s') }, /a is a symbol/],
    ['a class instance', { when: [new URL('http://x')] }, /when\.0 is an instance of URL; store plain data/],
    ['an error', { failure: new Error('secret payload') }, /failure is an instance of Error/],
    ['a typed array but bytes', { v: new Float32Array(2) }, /v is an instance of Float32Array/],
    ['a method toJSON', { a: { toJSON: () => 1 } }, /a\.toJSON is a function/],
    ['a value in a Map', { m: new Map([['k', () => 1]]) }, /m\.0 is a function/],
    ['nothing but a function', () => 1, /the value is a function/],
  ])('refuses %s and names the path', (_, value, message) => {
    expect(refusal(value)).toMatchObject({ code: 'state_unserializable', message: expect.stringMatching(message) })
    expect(String(refusal(value))).not.toContain('secret payload')
  })

  test('refuses a cycle and what is nested too deeply, in a message of readable length', () => {
    const cycle: Record<string, unknown> = {}
    cycle.again = { cycle }
    let deep: unknown = 1
    for (let level = 0; level < 10_000; level++) deep = [deep]
    for (const value of [cycle, { deep }]) {
      const error = refusal(value)
      expect(error).toMatchObject({ code: 'state_unserializable' })
      expect(String(error)).toMatch(/nested deeper than 200 levels, or refers to itself/)
      expect(String(error).length).toBeLessThan(400)
    }
  })

  test('keeps what is nested as deeply as it allows, of every kind', () => {
    for (const wrap of [
      (v: unknown) => [v],
      (v: unknown) => ({ $: v }),
      (v: unknown) => new Map([[v, v === 1 ? 2 : 1]]),
    ]) {
      let deep: unknown = 1
      for (let level = 0; level < 190; level++) deep = wrap(deep)
      const text = encode(deep)
      expect(encode(decode(text))).toBe(text)
    }
  })

  test.each(['', '{', '[1,', 'undefined', '{"$":["Regex","x"]}', '{"$":1}', '{"a":{"$":[]}}', '{"$":null}'])(
    'says of %j that it cannot be read',
    (text) => {
      expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'checkpoint_unreadable' }))
    },
  )

  test.each(['{"$":["bigint","x"]}', '{"$":["Uint8Array","?"]}', '{"$":["bigint"]}'])(
    'says of %j, whose tag has content of another kind, that it cannot be read',
    (text) => {
      expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'checkpoint_unreadable' }))
    },
  )
})
