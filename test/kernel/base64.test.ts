// Base64 without the engine's own functions, which Node 22 has not: what is none is refused, as they refuse it.
import { expect, test } from 'vitest'
import { base64Of, bytesOf } from '../../src/kernel/base64.ts'
import { forSeeds } from './random.ts'

const isBase64 = (text: string) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1

test('of 20,000 texts, those that are base64 are read, and no other', () => {
  let read = 0
  forSeeds(20_000, (random) => {
    const letter = () => random.pick(['A', 'A', 'b', '9', '+', '/', '/', '=', '-', '_', ' ', '\n', 'é', '北', '\u0000'])
    const usual = random.chance(0.5)
    const length = random.int(9)
    const text = Array.from({ length }, () => (usual ? random.pick(['A', 'z', '+', '/']) : letter())).join('')
    const padded = text + random.pick(['', '', '=', '==', '==='])
    const bytes = isBase64(padded) ? new Uint8Array(Buffer.from(padded, 'base64')) : undefined
    if (bytes === undefined) expect(() => bytesOf(padded), JSON.stringify(padded)).toThrow(SyntaxError)
    else expect(bytesOf(padded), JSON.stringify(padded)).toEqual(bytes)
    if (bytes !== undefined) read += 1
  })
  expect(read).toBeGreaterThan(5_000)
})

test('bytes come back', () => {
  forSeeds(300, (random) => {
    const bytes = Uint8Array.from({ length: random.int(50) }, () => random.int(256))
    expect(bytesOf(base64Of(bytes))).toEqual(bytes)
  })
})
