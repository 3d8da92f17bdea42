// Filters and prefixes in the language of Upstash's metadata filters. Nothing from outside gets into their text: strings are hashes, of
// letters that need no quoting, and the rest are numbers.
import type { Filter, Scalar } from '../../kernel/filter.ts'
import { hashOf } from '../../kernel/hash.ts'
import type { Namespace } from '../../kernel/namespace.ts'
import type { Item } from '../../ports/store.ts'

type Metadata = Record<string, string | number | string[]>

/** What filters can ask of an item, as hashes and numbers. Of its value nothing: that is for the store to say. */
export function metadataOf({ namespace, key, source, author, tags, createdAt, updatedAt }: Item): Metadata {
  const metadata: Metadata = {
    [nameOf('key')]: mark(key),
    [nameOf('tags')]: tags.map(mark),
    [nameOf('created')]: Date.parse(createdAt),
    [nameOf('updated')]: Date.parse(updatedAt),
  }
  if (source !== null) metadata[nameOf('source')] = mark(source)
  if (author !== null) metadata[nameOf('author')] = mark(author)
  for (let depth = 2; depth <= namespace.length; depth++) metadata[`p${depth}`] = hashOf(...namespace.slice(0, depth))
  return metadata
}

/** The filter as far as it can be said; '' for not at all. What it leaves out does not meet prefix and filter. */
export function indexFilter(prefix: Namespace, filter: Filter | undefined): string {
  const place = prefix.length > 1 ? `p${prefix.length} = '${hashOf(...prefix)}'` : undefined
  const parts = [place, filter && necessary(filter)].filter((part) => part !== undefined)
  return parts.join(' AND ')
}

/** A condition that every item has which meets the filter; `undefined`: there is none to say. */
function necessary(filter: Filter): string | undefined {
  switch (filter.op) {
    case 'and': {
      const parts = filter.filters.map(necessary).filter((part) => part !== undefined)
      return parts.length === 0 ? undefined : `(${parts.join(' AND ')})`
    }
    case 'or':
      return anyOf(filter.filters.map(necessary))
    case 'in':
      return anyOf(filter.value.map((value) => equal(filter.field, value)))
    case 'eq':
      return equal(filter.field, filter.value)
    case 'contains':
      return filter.field === 'tags' && typeof filter.value === 'string'
        ? `${nameOf('tags')} CONTAINS '${mark(filter.value)}'`
        : undefined
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return isTime(filter.field) ? ordered(filter.field, signs[filter.op], filter.value) : undefined
    default:
      // How an index takes what is missing is not said anywhere.
      return undefined
  }
}

const signs = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function anyOf(parts: readonly (string | undefined)[]): string | undefined {
  return parts.length === 0 || parts.includes(undefined) ? undefined : `(${parts.join(' OR ')})`
}

function equal(field: string, value: Scalar): string | undefined {
  if (isTime(field)) return typeof value === 'string' ? ordered(field, '=', value) : undefined
  const kept = field === 'key' || field === 'source' || field === 'author'
  return kept && typeof value === 'string' ? `${nameOf(field)} = '${mark(value)}'` : undefined
}

function isTime(field: string): boolean {
  return field === 'created' || field === 'updated'
}

function ordered(field: string, sign: string, time: string | number): string {
  return `${nameOf(field)} ${sign} ${Date.parse(String(time))}`
}

function nameOf(field: string): string {
  return `f_${field}`
}

/** By which a text can be found again and not be read. */
function mark(text: string): string {
  return hashOf(text)
}
