// What changed in a state: arrays as segments (ranges of the old array and new elements), anything else as a set.
import { RecollectError } from '../kernel/errors.ts'
import { encode } from '../kernel/json.ts'
import type { Delta, Position } from './checkpoint.ts'

/** `[from, to]` is a range of the old array, half open; `[[…]]` holds new elements. */
export type Segment = readonly [number, number] | readonly [readonly unknown[]]

/** Set to a value, or an array built from segments. */
export type ChannelDelta = readonly ['=', unknown] | readonly ['~', ...Segment[]]

/** `before` → `after`, channel by channel. Cost: the changed channels' length, not their content. */
export function difference(before: Position, after: Position): Delta {
  const channels: Record<string, ChannelDelta> = {}
  for (const name of Object.keys(after.values)) {
    const was = before.values[name]
    const is = after.values[name]
    if (Object.is(was, is) && Object.hasOwn(before.values, name)) continue
    const change = Array.isArray(was) && Array.isArray(is) ? arrayDifference(was, is) : (['=', is] as const)
    if (change !== undefined) channels[name] = change
  }
  return { channels, due: after.due, arrived: after.arrived }
}

/** The position that `delta` leads to from `before`. */
export function applyDelta(before: Position, delta: Delta): Position {
  return applyDeltas(before, [delta])
}

/** The position at the end of `deltas`, oldest first. What is made on the way is nobody's: a list that only grows is copied once, not at each. */
export function applyDeltas(before: Position, deltas: readonly Delta[]): Position {
  const values: Record<string, unknown> = { ...before.values }
  const own = new Set<unknown>()
  for (const { channels } of deltas) {
    for (const [name, change] of Object.entries(channels)) {
      const value = change[0] === '=' ? change[1] : joined(values[name], change.slice(1) as Segment[], own)
      if (change[0] === '~') own.add(value)
      values[name] = value
    }
  }
  const { due, arrived } = deltas.at(-1) ?? before
  return { values, due, arrived }
}

function joined(old: unknown, [first, ...rest]: readonly Segment[], own: ReadonlySet<unknown>): unknown[] {
  if (!Array.isArray(old)) {
    throw new RecollectError('checkpoint_unreadable', 'A stored delta continues an array that is not there.')
  }
  const partOf = (segment: Segment) => (segment.length === 2 ? old.slice(segment[0], segment[1]) : [...segment[0]])
  if (first === undefined) return []
  const goesOn = own.has(old) && first[0] === 0 && first[1] === old.length
  const result: unknown[] = goesOn ? old : partOf(first)
  for (const segment of rest) for (const element of partOf(segment)) result.push(element)
  return result
}

/** `undefined` when nothing changed. Elements match by identity, else by equal text. */
function arrayDifference(was: readonly unknown[], is: readonly unknown[]): ChannelDelta | undefined {
  let head = 0
  while (head < was.length && head < is.length && same(was[head], is[head])) head++
  if (head === was.length && head === is.length) return undefined
  let tail = 0
  while (
    tail < was.length - head &&
    tail < is.length - head &&
    same(was[was.length - 1 - tail], is[is.length - 1 - tail])
  ) {
    tail++
  }
  const segments = new Segments()
  segments.range(0, head)
  middle(was, is, { from: head, oldTo: was.length - tail, newTo: is.length - tail }, segments)
  segments.range(was.length - tail, was.length)
  return ['~', ...segments.list]
}

function middle(
  was: readonly unknown[],
  is: readonly unknown[],
  { from, oldTo, newTo }: { from: number; oldTo: number; newTo: number },
  segments: Segments,
): void {
  if (from >= oldTo) {
    for (let index = from; index < newTo; index++) segments.add(is[index])
    return
  }
  const byIdentity = new Map<unknown, number>()
  const byText = new Map<string, number>()
  for (let index = oldTo - 1; index >= from; index--) {
    byIdentity.set(was[index], index)
    byText.set(encode(was[index]), index)
  }
  let expected = from
  for (let index = from; index < newTo; index++) {
    const element = is[index]
    // The neighbour of the last match first, so that repeated elements stay one range.
    const next = expected < oldTo && Object.is(was[expected], element) ? expected : byIdentity.get(element)
    // A Map takes -0 for 0; a state does not.
    const match = next !== undefined && Object.is(was[next], element) ? next : byText.get(encode(element))
    if (match === undefined) segments.add(element)
    else {
      segments.range(match, match + 1)
      expected = match + 1
    }
  }
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (typeof a === 'object' && typeof b === 'object' && encode(a) === encode(b))
}

class Segments {
  readonly list: Segment[] = []
  #open: unknown[] | undefined

  range(from: number, to: number): void {
    if (from >= to) return
    const previous = this.list.at(-1)
    if (previous?.length === 2 && previous[1] === from) this.list[this.list.length - 1] = [previous[0], to]
    else this.list.push([from, to])
    this.#open = undefined
  }

  add(element: unknown): void {
    if (this.#open === undefined) {
      this.#open = []
      this.list.push([this.#open])
    }
    this.#open.push(element)
  }
}
