// What a request to Upstash Vector has of a name: its hash alone.
import { expect, test } from 'vitest'
import { upstashItemIndex } from '../../../src/adapters/upstash/index.ts'

test('200 hostile names reach the index as hashes alone', async () => {
  const seen: string[] = []
  const fetched = globalThis.fetch
  globalThis.fetch = async (url, init) => {
    seen.push(`${new URL(String(url)).pathname} ${String(init?.body)}`)
    return Response.json({ result: [] })
  }
  try {
    const index = upstashItemIndex({ url: 'https://vector.test', token: 't', kind: 'sparse' })
    const parts = [
      '../reset?all',
      'x/../tenant-a',
      '..',
      '%2e%2e/reset',
      '?all',
      '#',
      "' OR 1=1",
      '"',
      '\\',
      '*',
      'a b',
      '😀',
      '\u2028',
      '{}',
      'HAS FIELD x',
    ]
    for (let n = 0; n < 200; n++) {
      const name = `${parts[n % parts.length]}${parts[(n * 7) % parts.length]}`
      const filter = {
        op: 'and',
        filters: [
          { op: 'eq', field: 'author', value: name },
          { op: 'in', field: 'source', value: [name, 'b'] },
          { op: 'contains', field: 'tags', value: name },
          { op: 'not', filter: { op: 'eq', field: 'key', value: name } },
        ],
      } as const
      await index.query({ tenant: name, space: name }, { text: 'q', prefix: [name, name], filter, limit: 1 })
      await index.delete({ tenant: name, space: name }, ['x'.repeat(24)])
    }
  } finally {
    globalThis.fetch = fetched
  }
  expect(seen).toHaveLength(400)
  const hash = '[\\w-]{24}'
  const filter = `p2 = '${hash}' AND \\(f_author = '${hash}' AND \\(f_source = '${hash}' OR f_source = '${hash}'\\) AND f_tags CONTAINS '${hash}'\\)`
  const asked = new RegExp(
    `^/query/recollect-${hash} \\{"sparseVector":\\{[^{}]+\\},"weightingStrategy":"IDF","topK":1,"filter":"${filter}"\\}$`,
  )
  const deleted = new RegExp(`^/delete/recollect-${hash} `)
  for (const [index, line] of seen.entries()) expect(line).toMatch(index % 2 === 0 ? asked : deleted)
})
