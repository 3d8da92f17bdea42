// The files that are made from the Worker's table of settings agree with it.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { exampleText, settingsTable, withSettings } from '../../scripts/settings.ts'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import { settingsOf, variables } from '../../workers/env.ts'
import { retentionOfItems, sharedNamespaces } from '../../workers/item-settings.ts'

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

describe('how long items live', () => {
  const complete = { ...parseEnv(exampleText()), AUTH_SECRET: 'x'.repeat(32) }
  const day = 86_400_000

  test('is said in days, for all and for namespaces', () => {
    const rules = (MEMORY_TTL_DAYS: string) => retentionOfItems(settingsOf({ ...complete, MEMORY_TTL_DAYS }))
    expect(rules('30')).toEqual([{ namespace: [], ttlMs: 30 * day }])
    expect(rules('')).toEqual([{ namespace: [], ttlMs: 90 * day }])
    expect(rules('never, users = 365,team/hand book=7, a/x=y/b=never')).toEqual([
      { namespace: [], ttlMs: null },
      { namespace: ['users'], ttlMs: 365 * day },
      { namespace: ['team', 'hand book'], ttlMs: 7 * day },
      { namespace: ['a', 'x=y', 'b'], ttlMs: null },
    ])
  })

  test('reaches the items of the store, new ones alone', async () => {
    const settings = settingsOf({ ...complete, MEMORY_TTL_DAYS: '30, team=never, users/alex=1' })
    const store = memoryStore({ retention: retentionOfItems(settings) })
    const ttlOf = async (...namespace: string[]) => {
      await store.put({ tenant: 'acme', namespace, key: 'k', value: {} })
      return (await store.get({ tenant: 'acme', namespace, key: 'k' }))?.ttlMs
    }
    expect(await ttlOf('users', 'bob')).toBe(30 * day)
    expect(await ttlOf('users', 'alex', 'notes')).toBe(day)
    expect(await ttlOf('users', 'alexa')).toBe(30 * day)
    expect(await ttlOf('team', 'findings')).toBeNull()
  })

  test.each([
    '0',
    '-1',
    '1.5',
    'forever',
    '36501',
    'users',
    'users=',
    '=5',
    'a//b=5',
    '90,',
    ' , ',
    'a=5, a=6',
    '5, 6',
  ])('%j is refused, with what it must be', (MEMORY_TTL_DAYS) => {
    const refused = /MEMORY_TTL_DAYS (has ".*"; it must be such as: 90, users=365|says ".*")/
    expect(() => settingsOf({ ...complete, MEMORY_TTL_DAYS })).toThrow(refused)
  })
})

test('namespaces are shared by their first segment, and never those of people', () => {
  const complete = { ...parseEnv(exampleText()), AUTH_SECRET: 'x'.repeat(32) }
  const shared = (SHARED_NAMESPACES: string) => sharedNamespaces(settingsOf({ ...complete, SHARED_NAMESPACES }))
  expect(shared('')).toEqual([])
  expect(shared(' team, hand book,')).toEqual([['team'], ['hand book']])
  for (const wrong of ['team,users', 'extractions', 'x'.repeat(257), 'a\u0000']) {
    expect(() => shared(wrong), wrong).toThrow(/SHARED_NAMESPACES has ".*"; it must be/)
  }
})

test('the fusion of a hybrid index is RRF or DBSF', () => {
  const complete = { ...parseEnv(exampleText()), AUTH_SECRET: 'x'.repeat(32) }
  expect(settingsOf(complete).UPSTASH_VECTOR_FUSION).toBe('RRF')
  expect(settingsOf({ ...complete, UPSTASH_VECTOR_FUSION: 'DBSF' }).UPSTASH_VECTOR_FUSION).toBe('DBSF')
  expect(() => settingsOf({ ...complete, UPSTASH_VECTOR_FUSION: 'rrf' })).toThrow('must be RRF or DBSF')
})
