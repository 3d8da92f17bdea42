// How a page of many items is read: by its order, and not by reading and sorting all that the tenant has.
import { expect, test } from 'vitest'
import { neonStore } from '../../../src/adapters/neon/index.ts'
import { pgliteDatabase } from '../../contract/neon-database.ts'

test('the newest items of a tenant are read from an index, also those that meet a filter', {
  timeout: 60_000,
}, async () => {
  const { sql, close } = await pgliteDatabase()
  try {
    await sql`insert into recollect.items (tenant, id, space, path, key, value, doc, text, tags, version, indexed_version, settled_version, created_at, updated_at)
      select 't', n::text, '', 'users' || chr(31) || n % 100 || chr(31), n::text, '{}', json_build_object('n', n)::jsonb, '', '{}', 1, 1, 1, now(), now() - n * interval '1 s'
      from generate_series(1, 3000) n`
    await sql`analyze recollect.items`
    const plans: string[] = []
    const store = neonStore({
      query: async (text, parameters) => {
        const rows = await sql.query(`explain ${text}`, parameters)
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
        return []
      },
    })
    await store.search({ tenant: 't', prefix: ['users'] })
    await store.search({ tenant: 't', prefix: [], filter: { op: 'gt', field: 'value.n', value: 1_500 } })
    expect(plans).toHaveLength(2)
    for (const plan of plans) {
      expect(plan).toContain('using items_latest')
      expect(plan).not.toContain('Seq Scan')
    }
  } finally {
    await close()
  }
})
