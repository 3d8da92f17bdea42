// The names in the wire log.
import { expect, test } from 'vitest'
import { operationOf } from '../../../local/neon/operation.ts'

test.each([
  ['select * from recollect.begin_turn_v1($1, $2)', 'begin_turn_v1'],
  ['SELECT recollect.commit_step_v1($1)', 'commit_step_v1'],
  ['with x as (select 1) select s.* from x, lateral "recollect"."load_thread" (x.id) s', 'load_thread'],
  ['-- why\n/* and how */ select t.id from recollect.threads t', 'select recollect.threads'],
  ["select 'from nowhere', id from items", 'select items'],
  ['insert into recollect.threads (id) values ($1)', 'insert recollect.threads'],
  ['with gone as (insert into recollect.writes (id) values (1) returning id) select 1', 'with recollect.writes'],
  ['update only recollect.items set a = 1', 'update recollect.items'],
  ['create table if not exists recollect.runs (id text)', 'create recollect.runs'],
  ['select 1', 'select'],
  ['', ''],
])('%j is logged as %j', (sql, name) => {
  expect(operationOf(sql)).toBe(name)
})
