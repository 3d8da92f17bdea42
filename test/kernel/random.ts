// A small seeded generator for property tests: a failure is repeated by its seed.

export interface Random {
  /** 0 to `below` - 1. */
  int(below: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
  chance(probability: number): boolean
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
  return {
    int,
    pick: (items) => items[int(items.length)] ?? items[0],
    chance: (probability) => next() < probability,
  }
}

/** Runs `property` for seeds 1 to `count`; the seed is in what it throws. */
export function forSeeds(count: number, property: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      property(seeded(seed), seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}

/** Anything that state may hold, the odd kinds as often as the usual ones. */
export function randomValue(random: Random, depth = 3): unknown {
  const list = <Item>(make: () => Item) => Array.from({ length: random.int(4) }, make)
  const inner = () => randomValue(random, depth - 1)
  const keys = ['a', 'b', '$', '__proto__', 'constructor', 'toJSON', 'length', '', '0', '\u0000'] as const
  switch (random.int(depth > 0 ? 14 : 10)) {
    case 0:
      return null
    case 1:
      return random.pick([0, -0, 1, -1, 1.5, 2 ** 53, 1e300, NaN, Infinity, -Infinity, 5e-324])
    case 2:
      return random.pick([true, false])
    case 3:
      return undefined
    case 4:
      return random.pick([0n, -1n, 2n ** 70n])
    case 5:
      return random.pick([new Date(0), new Date(-1), new Date(1e15)])
    case 6:
      return Uint8Array.from(list(() => random.int(256)))
    case 7:
      return random.pick(['$', '{"$":["Date",0]}', '\u0000', '\ud83d', '\ude00\ud83d', '"$"', '\\', ''])
    case 8:
    case 9:
      return `text ${random.int(5)}`
    case 10:
      return list(inner)
    case 11:
      return new Set(list(inner))
    case 12:
      return new Map(list((): [unknown, unknown] => [inner(), inner()]))
    default:
      return Object.fromEntries(list((): [string, unknown] => [random.pick(keys), inner()]))
  }
}
