// What becomes of an error of Postgres or of Neon's proxy: whether to send again, and nothing of what was sent.
import { describe, expect, test } from 'vitest'
import { neonCheckpointer, type Sql } from '../../../src/adapters/neon/index.ts'

const secret = 'postgres://user:hunter2@host: duplicate key (my secret message)'
const failing = (error: unknown) => {
  const sql: Sql = { query: () => Promise.reject(error) }
  return neonCheckpointer(sql)
    .orphans({ graphs: [], limit: 1 })
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
}
const coded = (code: unknown) => Object.assign(new Error(secret), { code })

describe('an error', () => {
  test.each(['40001', '40P01', '57P01', '57014', '53300', '08006', '58030', '', undefined, 5])(
    'with code %j may be sent again: its outcome is unknown',
    async (code) => {
      expect(await failing(coded(code))).toMatchObject({
        code: 'storage_unavailable',
        retryable: true,
        retryAfterMs: 1_000,
      })
    },
  )

  test.each(['42883', '42P01', '42703', '42704', '3F000'])('with code %s says that the schema is old', async (code) => {
    expect(await failing(coded(code))).toMatchObject({ code: 'schema_outdated', retryable: false })
  })

  test.each(['23505', '22P05', '42601', '28P01', '54000'])('with code %s is final and names the code', async (code) => {
    expect(await failing(coded(code))).toMatchObject({ code: 'storage_failed', message: expect.stringContaining(code) })
  })

  test.each([
    new TypeError('fetch failed'),
    new DOMException('timed out', 'TimeoutError'),
    'a string',
    null,
    undefined,
  ])('that is %o is of unknown outcome', async (error) => {
    expect(await failing(error)).toMatchObject({ code: 'storage_unavailable' })
  })

  test('never tells what was sent, nor where to', async () => {
    for (const code of ['40001', '23505', '42P01', undefined]) {
      const error = (await failing(coded(code))) as Error
      expect(error.message).not.toMatch(/secret|hunter2/)
    }
  })
})
