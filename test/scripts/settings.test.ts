// The files that are made from the Worker's table of settings agree with it.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { exampleText, settingsTable, withSettings } from '../../scripts/settings.ts'
import { settingsOf, variables } from '../../workers/env.ts'

const stale = 'is not up to date with workers/env.ts; run: npm run settings'

test('.dev.vars.example is that of the table', () => {
  expect(readFileSync('.dev.vars.example', 'utf8'), `.dev.vars.example ${stale}`).toBe(exampleText())
})

test('the table in docs/operations.md is that of the table', () => {
  const page = readFileSync('docs/operations.md', 'utf8')
  expect(page, 'docs/operations.md has lost its marks').toContain(settingsTable().split('\n')[0])
  expect(page, `docs/operations.md ${stale}`).toBe(withSettings(page))
})

test('a page that lags behind is seen and brought up to date, and the text around the table stays', () => {
  const current = withSettings(readFileSync('docs/operations.md', 'utf8'))
  const lagging = current.replace(/^\| `DATABASE_URL` .*\n/m, '')
  expect(lagging).not.toBe(current)
  expect(withSettings(lagging)).toBe(current)
})

test('every setting that is required is in the example, and a Worker starts with it once a token can be checked', () => {
  const example = parseEnv(exampleText())
  const required = Object.entries(variables).filter(([, { required }]) => required)
  expect(required.map(([name]) => name).filter((name) => !(name in example))).toEqual([])
  const settings = settingsOf({ ...example, AUTH_SECRET: 'x'.repeat(32) })
  expect(settings.DATABASE_URL).toBe(example.DATABASE_URL)
})

test('the example gives away no setting of the local stack', () => {
  expect(exampleText()).not.toMatch(/RECOLLECT_LOCAL|NEON_HTTP_ENDPOINT/)
})

test('of the vector index, URL and token are set both or neither', () => {
  const complete = { ...parseEnv(exampleText()), AUTH_SECRET: 'x'.repeat(32) }
  const vector = { UPSTASH_VECTOR_REST_URL: 'https://example-vector.upstash.io', UPSTASH_VECTOR_REST_TOKEN: 'token' }
  expect(settingsOf({ ...complete, ...vector })).toMatchObject(vector)
  for (const name of Object.keys(vector)) {
    expect(() => settingsOf({ ...complete, ...vector, [name]: '' })).toThrow('The vector index needs both')
  }
})
