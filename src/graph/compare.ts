// What is different between two positions, for a person to read.
import { encode, isRecord } from '../kernel/json.ts'
import type { Position } from './checkpoint.ts'

/** Of a list, element by element, as far as elements have ids or equal text; of anything else, the whole. */
export type ChannelChange =
  | { readonly kind: 'value'; readonly before: unknown; readonly after: unknown }
  | {
      readonly kind: 'list'
      readonly added: readonly unknown[]
      readonly removed: readonly unknown[]
      readonly changed: readonly { readonly before: unknown; readonly after: unknown }[]
    }

export interface Comparison {
  /** Those that differ. A channel that was never written is `undefined`. */
  readonly channels: Readonly<Record<string, ChannelChange>>
  /** Nodes due next. */
  readonly next: { readonly before: readonly string[]; readonly after: readonly string[] }
}

export function compare(before: Position, after: Position): Comparison {
  const channels: Record<string, ChannelChange> = {}
  for (const name of new Set([...Object.keys(before.values), ...Object.keys(after.values)])) {
    const change = changeOf(before.values[name], after.values[name])
    if (change !== undefined) channels[name] = change
  }
  const next = { before: before.due.map(({ node }) => node), after: after.due.map(({ node }) => node) }
  return { channels, next }
}

function changeOf(before: unknown, after: unknown): ChannelChange | undefined {
  if (equal(before, after)) return undefined
  if (!Array.isArray(before) || !Array.isArray(after)) return { kind: 'value', before, after }
  const old = new Map<string, unknown>(before.map((element) => [nameOf(element), element]))
  const added: unknown[] = []
  const changed: { before: unknown; after: unknown }[] = []
  for (const element of after) {
    const name = nameOf(element)
    if (!old.has(name)) added.push(element)
    else if (!equal(old.get(name), element)) changed.push({ before: old.get(name), after: element })
    old.delete(name)
  }
  const removed = [...old.values()]
  // The same elements in another order, or one of them more often, is told as the whole.
  if (added.length + changed.length + removed.length === 0) return { kind: 'value', before, after }
  return { kind: 'list', added, removed, changed }
}

function nameOf(element: unknown): string {
  return isRecord(element) && typeof element.id === 'string' ? `id ${element.id}` : encode(element)
}

function equal(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (a !== undefined && b !== undefined && encode(a) === encode(b))
}
