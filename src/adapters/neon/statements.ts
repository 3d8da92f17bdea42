// Takes a file of SQL apart: Neon's HTTP protocol carries one statement a query.

/** Statements end at a semicolon at the end of a line, outside of `$$ … $$`. Comments before a statement stay with it. */
export function statementsOf(sql: string): string[] {
  const statements: string[] = []
  let current: string[] = []
  let inBody = false
  for (const line of sql.split('\n')) {
    current.push(line)
    if (line.trimStart().startsWith('--')) continue
    if (line.split('$$').length % 2 === 0) inBody = !inBody
    if (!inBody && /;\s*(--.*)?$/.test(line)) {
      statements.push(current.join('\n'))
      current = []
    }
  }
  const rest = current.join('\n')
  return /^\s*(--.*\s*)*$/.test(rest) ? statements : [...statements, rest]
}
