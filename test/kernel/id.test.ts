// Which ids a caller may choose.
import { describe, expect, test } from 'vitest'
import { assertId, assertPrincipal } from '../../src/kernel/id.ts'

const refused = expect.objectContaining({ code: 'id_invalid' })

describe('ids', () => {
  test.each(['a', 'user-42', 'A_b.c:d@e', '0', 'x'.repeat(128), '__proto__', '-'])('%s may be chosen', (id) => {
    expect(() => assertId('thread', id)).not.toThrow()
  })

  test.each([
    ...[
      '',
      ' ',
      'a b',
      '/',
      'a/b',
      '..',
      'a..b',
      '.a',
      ':a',
      '@a',
      '%2e',
      'a%00',
      'a\u0000',
      '\ud83d',
      'é',
      '😀',
      'a\n',
    ],
    ...['x'.repeat(129), null, undefined, 1, [], {}, ['a'], true, Symbol('a')],
  ])('%o is refused, and its content is not repeated', (id) => {
    expect(() => assertId('thread', id)).toThrow(refused)
    expect(() => assertId('thread', 'secret/secret')).not.toThrow(/secret/)
  })

  test('a principal may be any readable text', () => {
    for (const id of ['a', 'ada@example.com', 'auth0|1', 'é 😀', "'; drop table", 'x'.repeat(256)]) {
      expect(() => assertPrincipal('user', id)).not.toThrow()
    }
    for (const id of ['', 'x'.repeat(257), 'a\u0000', 'a\n', '\ud83d', '\u0085', null, 5, ['a'], {}]) {
      expect(() => assertPrincipal('tenant', id)).toThrow(refused)
    }
  })
})
