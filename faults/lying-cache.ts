// A cache that lies: now and then it gives what it held before, or what it never held.
import type { Cache, CacheEntry, CacheKey } from '../src/ports/index.ts'
import type { Random } from './random.ts'

export interface Lies {
  /** Shares of reads, 0 to 1. */
  readonly stale: number
  readonly poisoned: number
}

/** Stale: an earlier state of the same thread. Poisoned: of the right number and yet wrong, torn, or another thread's. */
export function lyingCache(cache: Cache, random: Random, { stale, poisoned }: Lies): Cache & { readonly lies: number } {
  const held = new Map<string, (readonly CacheEntry[])[]>()
  let lies = 0
  const remember = (key: CacheKey, entries: readonly CacheEntry[]) => {
    const name = JSON.stringify(key)
    held.set(name, [...(held.get(name) ?? []).slice(-10), entries])
    return held.get(name) ?? []
  }
  const someones = () => random.pick([...held.values()].flat())
  return {
    longest: cache.longest,
    get lies() {
      return lies
    },
    async read(key) {
      const entries = await cache.read(key)
      if (entries.length === 0) return entries
      const before = remember(key, entries)
      const lie = random.chance(stale) ? random.pick(before) : random.chance(poisoned) ? poison(entries) : undefined
      if (lie !== undefined) lies++
      return lie ?? entries
    },
    append: (key, after, entries) => cache.append(key, after, entries),
    replace: (key, state) => cache.replace(key, state),
    delete: (key) => cache.delete(key),
  }

  function poison(entries: readonly CacheEntry[]): readonly CacheEntry[] | undefined {
    const tip = entries.at(-1)
    const other = someones()?.[0]
    switch (random.int(4)) {
      case 0:
        return someones()
      case 1:
        return entries.slice(1)
      case 2:
        return entries.slice(0, -1)
      default:
        // Sound in itself, and of the right number; only its hash is not the head's.
        return tip && other && [{ seq: tip.seq, hash: other.hash, text: other.text }]
    }
  }
}
