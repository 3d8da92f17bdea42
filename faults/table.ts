// Figures for people: a line for each part, and what must be 0 is shouted when it is not.
import type { Figures } from './part.ts'

const mustBeZero = new Set(['wrong', 'lost', 'duplicated', 'outOfOrder', 'twice', 'lostAnswers', 'unapproved'])

export function table(figures: Readonly<Record<string, Figures>>): string {
  const width = Math.max(0, ...Object.keys(figures).map((name) => name.length))
  return Object.entries(figures)
    .map(([name, measured]) => `${name.padEnd(width)}  ${worded(measured)}\n`)
    .join('')
}

function worded(measured: Figures): string {
  return Object.entries(measured)
    .flatMap(([name, value]) => {
      if (Array.isArray(value)) return []
      if (typeof value === 'object' && value !== null) return [`${name} (${worded(value as Figures)})`]
      const loud = mustBeZero.has(name) && value !== 0
      return [loud ? `!!! ${name.toUpperCase()} ${String(value)} !!!` : `${name} ${shown(value)}`]
    })
    .join(', ')
}

function shown(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
}
