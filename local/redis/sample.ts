// Random choice, with the two meanings Redis gives to a count.
import type { Keyspace } from './keyspace.ts'

/** A positive count takes that many different ones, a negative one that many with repeats. */
export function sample<Item>({ random }: Keyspace, items: Item[], wanted: number): Item[] {
  if (items.length === 0) return []
  const picked: Item[] = []
  const pool = [...items]
  const size = wanted < 0 ? -wanted : Math.min(wanted, pool.length)
  for (let at = 0; at < size; at++) {
    const place = Math.floor(random() * pool.length)
    const [item] = wanted < 0 ? pool.slice(place, place + 1) : pool.splice(place, 1)
    if (item !== undefined) picked.push(item)
  }
  return picked
}
