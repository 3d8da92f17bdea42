// What the SQL functions give of items, and what the port makes of it.
import { decode } from '../../kernel/json.ts'
import { namespaceOf } from '../../kernel/namespace.ts'
import type { Item, ItemValue, ItemVersion } from '../../ports/store.ts'
import { isoTime } from './rows.ts'

/** Its value encoded, its times as Postgres words them. */
export interface ItemRow extends Omit<Item, 'namespace' | 'value'> {
  readonly path: string
  readonly value: string
}

export interface VersionRow extends Omit<ItemVersion, 'value'> {
  readonly value: string
}

export function itemOf({ path, value, createdAt, updatedAt, expiresAt, ...item }: ItemRow): Item {
  return {
    ...item,
    namespace: namespaceOf(path),
    value: decodedValue(value),
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    expiresAt: expiresAt && isoTime(expiresAt),
  }
}

export function versionOf({ value, at, ...version }: VersionRow): ItemVersion {
  return { ...version, value: decodedValue(value), at: isoTime(at) }
}

/** It was encoded from a value of an item. */
function decodedValue(text: string): ItemValue {
  return decode(text) as ItemValue
}
