// Figures for people: one line a leaf, its path in front; a list of rows as a table.

type Row = Readonly<Record<string, unknown>>

export function table(figures: Row): string {
  const lists = Object.entries(figures).filter((entry): entry is [string, Row[]] => isListOfRows(entry[1]))
  const others = Object.entries(figures).filter(([, value]) => !isListOfRows(value))
  const tables = lists.map(([name, rows]) => `${name}\n${columns(rows.flatMap(linesOf))}\n`)
  return tables.join('') + leaves(Object.fromEntries(others))
}

function leaves(figures: Row): string {
  const lines = leavesOf(figures, '')
  const width = Math.max(...lines.map(([path]) => path.length))
  return lines.map(([path, value]) => `${path.padEnd(width)}  ${value}\n`).join('')
}

function leavesOf(value: unknown, path: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, cell(value)]]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`))
}

/** A row that holds several groups of figures is one line for each, with its name under `of`. */
function linesOf(row: Row): Row[] {
  const groups = Object.entries(row).filter((entry): entry is [string, Row] => isRow(entry[1]))
  const plain = Object.fromEntries(Object.entries(row).filter(([, value]) => !isRow(value)))
  return groups.length === 0 ? [row] : groups.map(([name, group]) => ({ ...plain, of: name, ...group }))
}

function columns(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => cell(row[name]).length)))
  const line = (cells: readonly string[], isText: (index: number) => boolean) =>
    cells.map((text, index) => (isText(index) ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0)))
  const texts = names.map((name) => rows.some((row) => typeof row[name] === 'string'))
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
  return lines
    .map(
      (cells) =>
        `${line(cells, (index) => texts[index] === true)
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

function isListOfRows(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isRow)
}

function cell(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : String(value)
}
