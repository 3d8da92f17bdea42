// The items of the in-memory store, and how they are searched.
import { filterValue, matches } from '../../kernel/filter.ts'
import { refreshAfterMs } from '../../kernel/item.ts'
import { decode } from '../../kernel/json.ts'
import { wholeSearch } from '../../kernel/listing.ts'
import { compareText, isWithin, type Namespace } from '../../kernel/namespace.ts'
import { nearness, wordsIn } from '../../kernel/words.ts'
import type { FoundItem, Item, ItemPage, ItemSearch, ItemValue, ItemVersion } from '../../ports/store.ts'

/** By id, in the order they were written last. */
export type Items = Map<string, StoredItem>

export interface StoredItem {
  readonly id: string
  readonly namespace: Namespace
  readonly key: string
  /** Encoded. */
  readonly value: string
  readonly text: string
  readonly textBefore: string | null
  readonly textAfter: string | null
  readonly tags: readonly string[]
  readonly source: string | null
  readonly author: string | null
  readonly version: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  ttlMs: number | null
  expiresAtMs: number | null
  /** Older ones, newest first. */
  versions: readonly ItemVersion[]
}

export function isOver({ expiresAtMs }: StoredItem, now: number): boolean {
  return expiresAtMs !== null && expiresAtMs <= now
}

/** It was read. */
export function touch(stored: StoredItem, now: number): void {
  const { ttlMs, expiresAtMs } = stored
  if (ttlMs === null || expiresAtMs === null || now + ttlMs - expiresAtMs < refreshAfterMs(ttlMs)) return
  stored.expiresAtMs = now + ttlMs
}

export function itemOf(stored: StoredItem): Item {
  const { createdAtMs, updatedAtMs, expiresAtMs, versions, textBefore, textAfter, ...item } = stored
  return {
    ...item,
    value: decodedValue(stored),
    createdAt: isoTime(createdAtMs),
    updatedAt: isoTime(updatedAtMs),
    expiresAt: expiresAtMs === null ? null : isoTime(expiresAtMs),
  }
}

export function versionOf(stored: StoredItem): ItemVersion {
  const { version, tags, source, author, updatedAtMs } = stored
  return { version, value: decodedValue(stored), tags, source, author, at: isoTime(updatedAtMs) }
}

export function search(items: Items, wanted: ItemSearch, now: number): ItemPage {
  const { prefix, query, filter, limit, offset, afterId } = wholeSearch(wanted)
  const words = query === undefined ? undefined : wordsIn(query)
  const found = [...items.values()]
    .filter((stored) => !isOver(stored, now) && isWithin(stored.namespace, prefix))
    .filter(({ id }) => afterId === undefined || compareText(id, afterId) > 0)
    .filter((stored) => filter === undefined || matches(filter, documentOf(stored)))
    .map((stored) => ({ stored, score: words === undefined ? null : nearness(words, stored.text) }))
    .filter(({ score }) => score !== 0)
    .sort((a, b) => {
      if (afterId !== undefined) return compareText(a.stored.id, b.stored.id)
      return (b.score ?? 0) - (a.score ?? 0) || latestFirst(a.stored, b.stored)
    })
  const page = found.slice(offset, offset + limit).map(({ stored, score }): FoundItem => ({ ...itemOf(stored), score }))
  const mode = words === undefined ? 'list' : 'text'
  return { items: page, more: found.length > offset + limit, mode, degraded: null }
}

function latestFirst(a: StoredItem, b: StoredItem): number {
  return b.updatedAtMs - a.updatedAtMs || compareText(a.id, b.id)
}

function documentOf({ key, value, tags, source, author, createdAtMs, updatedAtMs }: StoredItem) {
  const times = { created: isoTime(createdAtMs), updated: isoTime(updatedAtMs) }
  return { ...{ key, tags, source, author }, ...times, value: JSON.parse(filterValue(value)) as unknown }
}

/** It was encoded from a value of an item. */
function decodedValue({ value }: StoredItem): ItemValue {
  return decode(value) as ItemValue
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
