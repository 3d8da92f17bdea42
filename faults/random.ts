// A small seeded generator: a run is repeated by its seed, as far as the order of events allows.

export interface Random {
  /** 0 to `below` - 1. */
  int(below: number): number
  chance(probability: number): boolean
  /** `undefined` of none. */
  pick<Item>(items: readonly Item[]): Item | undefined
}

/** mulberry32, which is in the public domain. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (below: number) => Math.floor(next() * below)
  return { int, chance: (probability) => next() < probability, pick: (items) => items[int(items.length)] }
}
