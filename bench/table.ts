// Figures for people: one line a leaf, its path in front.

export function table(figures: Readonly<Record<string, unknown>>): string {
  const leaves = leavesOf(figures, '')
  const width = Math.max(...leaves.map(([path]) => path.length))
  return leaves.map(([path, value]) => `${path.padEnd(width)}  ${value}\n`).join('')
}

function leavesOf(value: unknown, path: string): [string, string][] {
  if (typeof value !== 'object' || value === null)
    return [[path, typeof value === 'number' ? number(value) : String(value)]]
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`))
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
}
