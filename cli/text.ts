// Text for a person: columns, and nothing that a terminal would obey.

/** What users wrote is shown and not obeyed: control characters become visible. Line ends and tabs stay in `block`. */
export function plain(value: unknown): string {
  return shown(value).replace(/[\p{Cc}\p{Bidi_Control}]/gu, visible)
}

/** The same over several lines. */
export function block(value: unknown): string {
  return shown(value).replace(/[^\n\t\P{Cc}]|\p{Bidi_Control}/gu, visible)
}

export function clipped(value: unknown, length: number): string {
  const text = plain(value)
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`
}

/** The first row names the columns. */
export function columns(rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map(plain))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '-' : JSON.stringify(value)
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return `\\u${code.toString(16).padStart(4, '0')}`
}
