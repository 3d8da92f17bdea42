// The short name of a statement for the wire log: what was asked, without its values.

/** `begin_turn_v1` for a call of one of our SQL functions, else the verb and the first relation: `select recollect.threads`. */
export function operationOf(sql: string): string {
  const text = sql
    .replace(/\/\*[\s\S]*?\*\/|--[^\n]*/g, ' ')
    .replace(/'(?:[^']|'')*'/g, "''")
    .replaceAll('"', '')
    .trim()
  const verb = /^\w+/.exec(text)?.[0].toLowerCase() ?? ''
  const call = /(?<!\binto\s+)\brecollect\.(\w+)\s*\(/i.exec(text)?.[1]
  if (call !== undefined && ['select', 'with', 'call'].includes(verb)) return call
  const relation = /\b(?:from|into|update|table|join|on)\s+(?:if\s+(?:not\s+)?exists\s+)?(?:only\s+)?([\w.]+)/i.exec(
    text,
  )
  return relation?.[1] === undefined ? verb : `${verb} ${relation[1]}`
}
