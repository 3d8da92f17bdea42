// A file of SQL taken apart into statements, as one-statement protocols need it.
import { expect, test } from 'vitest'
import { statementsOf } from '../../../src/adapters/neon/statements.ts'
import { schema } from '../../contract/neon-database.ts'

test('statements end at a semicolon at the end of a line, not inside a body', () => {
  const sql = [
    '-- first',
    'select 1;',
    '',
    'create function f() as $$',
    'begin',
    '  x; -- $ and "',
    'end $$;',
    'select 2',
  ].join('\n')
  expect(statementsOf(sql).map((statement) => statement.trim())).toEqual([
    '-- first\nselect 1;',
    'create function f() as $$\nbegin\n  x; -- $ and "\nend $$;',
    'select 2',
  ])
})

test('a semicolon in a comment, or comments alone, make no statement', () => {
  expect(statementsOf('-- a; b;\n\n-- c\n')).toEqual([])
  expect(statementsOf('select 1; -- said;\n-- end')).toHaveLength(1)
  expect(statementsOf('-- it costs $$ here;\nselect 1;\nselect 2;\n')).toHaveLength(2)
})

test('schema.sql loses nothing when it is taken apart', () => {
  const statements = statementsOf(schema)
  const compact = (sql: string) =>
    sql
      .replace(/^\s*--.*$/gm, '')
      .replace(/\s+/g, ' ')
      .trim()
  expect(compact(statements.join('\n'))).toBe(compact(schema))
  for (const statement of statements) {
    expect(compact(statement)).toMatch(/^(create (or replace )?(schema|table|index|function)|alter table|insert into) /)
  }
})
