// Channels: the named parts of a graph's state, each with a start value and a reducer.

/** Makes ids that are the same whenever the same write of the same task is applied again. */
export type MintId = () => string

/**
 * One named part of the state. `reduce` must be pure and must not write into `current`: state is compared with what it
 * was to find out what changed.
 */
export interface Channel<Value, Update = Value> {
  /** The value before anything was written. */
  initial(): Value
  /** The value after one write. Writes of a superstep arrive in task order. */
  reduce(current: Value, update: Update, mintId: MintId): Value
}

export type Channels = Record<string, Channel<unknown, unknown>>

/** What nodes read: every channel's value. */
export type StateOf<C extends Channels> = {
  readonly [Name in keyof C]: C[Name] extends Channel<infer Value, infer _> ? Value : never
}

/** What nodes return: an update for any of the channels. */
export type UpdateOf<C extends Channels> = {
  readonly [Name in keyof C]?: C[Name] extends Channel<infer _, infer Update> ? Update : never
}

/** A channel of your own: `channel({ initial: () => 0, reduce: (sum, add: number) => sum + add })`. */
export function channel<Value, Update = Value>(definition: {
  initial: () => Value
  reduce: (current: Value, update: Update, mintId: MintId) => Value
}): Channel<Value, Update> {
  return definition
}

/** Keeps the last value written; of several writes in one superstep, that of the last task. */
export function last<Value>(): Channel<Value | undefined>
export function last<Value>(initial: Value): Channel<Value>
export function last<Value>(initial?: Value): Channel<Value | undefined> {
  return { initial: () => initial, reduce: (_current, update) => update }
}

/** A list that grows: an array is spread, anything else is one element. */
export function append<Item>(): Channel<readonly Item[], Item | readonly Item[]> {
  return {
    initial: () => [],
    reduce: (current, update) => (isList(update) ? [...current, ...update] : [...current, update]),
  }
}

function isList<Item>(update: Item | readonly Item[]): update is readonly Item[] {
  return Array.isArray(update)
}
