// The left side of a filter's condition: `a.b`, `list[0].name`, `list[#-1]` (from the end), and what stands there.
import type { Metadata } from './row.ts'

export type Path = readonly (string | { readonly index: number; readonly fromEnd: boolean })[]

/** Undefined where it is not of that form. */
export function pathOf(identifier: string): Path | undefined {
  const path: Path[number][] = []
  const step = /(?:^|\.)(?<key>[a-zA-Z_0-9-]+)|\[(?:(?<index>\d+)|#-(?<fromEnd>\d+))\]/y
  while (step.lastIndex < identifier.length) {
    const groups = step.exec(identifier)?.groups
    if (groups === undefined) return undefined
    const { key, index, fromEnd } = groups
    path.push(key ?? { index: Number(index ?? fromEnd), fromEnd: fromEnd !== undefined })
  }
  return path
}

/** Undefined where there is nothing. Only what is the metadata's own counts, so `constructor` is as good a key as any. */
export function valueAt(metadata: Metadata | undefined, path: Path): unknown {
  let value: unknown = metadata
  for (const step of path) {
    if (typeof step === 'string') {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
        return undefined
      value = Reflect.get(value, step)
    } else {
      if (!Array.isArray(value)) return undefined
      value = value[step.fromEnd ? value.length - step.index : step.index]
    }
  }
  return value
}
