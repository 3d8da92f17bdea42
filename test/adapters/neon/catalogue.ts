// What a database is made of, as text that two versions can be compared by: tables, columns, keys, indexes, functions.
import type { NeonDatabase } from '../../contract/neon-database.ts'

const queries = [
  `select format('column %s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
     case when a.attnotnull then ' not null' else '' end,
     coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
   from pg_attribute a join pg_class c on c.oid = a.attrelid
   left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where c.relnamespace = to_regnamespace('recollect') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`,
  `select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) as line
   from pg_constraint where connamespace = to_regnamespace('recollect') and contype in ('p', 'u', 'f', 'c')`,
  `select indexdef as line from pg_indexes where schemaname = 'recollect'`,
  `select format('function %s(%s) returns %s %s %s %s', p.proname, pg_get_function_arguments(p.oid),
     pg_get_function_result(p.oid), l.lanname, p.provolatile, md5(p.prosrc)) as line
   from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = to_regnamespace('recollect')`,
  `select format('%s %s', c.relkind, c.relname) as line from pg_class c where c.relnamespace = to_regnamespace('recollect')`,
  `select format('version %s', max(version)) as line from recollect.schema_version`,
]

export async function catalogueOf({ sql }: NeonDatabase): Promise<string> {
  const lines: string[] = []
  for (const query of queries) for (const { line } of await sql.query(query)) lines.push(String(line))
  return `${lines.sort().join('\n')}\n`
}
