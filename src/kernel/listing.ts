// What a store may be asked: for items, versions and namespaces, page by page. Checked, with what is usual where nothing is said.
import { RecollectError } from './errors.ts'
import { type Filter, filterText, parseFilter } from './filter.ts'
import { assertNamespacePrefix, type Namespace, pathPattern, upToWildcard } from './namespace.ts'
import { wholeNumber } from './number.ts'

const pageOf = (limit: unknown, offset: unknown, atMost: number) => ({
  limit: wholeNumber('The limit', limit, { atLeast: 1, atMost }),
  offset: wholeNumber('The offset', offset, { atLeast: 0, atMost: 10_000 }),
})

interface SearchGiven {
  readonly prefix: Namespace
  readonly query?: unknown
  readonly filter?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
  readonly afterId?: unknown
}

/** A search for items. Throws `id_invalid` for what is no prefix, `input_invalid` for whatever else is amiss. */
export function wholeSearch({ prefix, query, filter, limit = 10, offset = 0, afterId }: SearchGiven) {
  assertNamespacePrefix(prefix)
  if (query !== undefined && typeof query !== 'string') throw refused('A query must be a string.')
  if (afterId !== undefined && (typeof afterId !== 'string' || !/^[\w-]{0,64}$/.test(afterId))) {
    throw refused('What a page is after must be the id of an item, or an empty string.')
  }
  // What is near is in an order of its own.
  if (afterId !== undefined && query !== undefined) {
    throw refused('A query has pages by offset: leave out the id that they are after.')
  }
  const parsed: Filter | undefined = filter === undefined ? undefined : parseFilter(filter)
  // Services refuse half a character.
  const asked = query === undefined ? undefined : filterText(query)
  return { prefix, query: asked, filter: parsed, afterId, ...pageOf(limit, offset, 100) }
}

interface NamespaceSearchGiven {
  readonly prefix?: Namespace
  readonly suffix?: Namespace
  readonly maxDepth?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
}

/** A search for namespaces. Throws as {@link wholeSearch} does. */
export function wholeNamespaceSearch(given: NamespaceSearchGiven) {
  const { prefix = [], suffix = [], maxDepth, limit = 100, offset = 0 } = given
  assertNamespacePrefix(prefix)
  assertNamespacePrefix(suffix)
  const depth = maxDepth === undefined ? undefined : wholeNumber('The depth', maxDepth, { atLeast: 1, atMost: 16 })
  const within = upToWildcard(prefix)
  const pattern = within.length < prefix.length || suffix.length > 0 ? pathPattern(prefix, suffix) : ''
  return { within, pattern, depth, ...pageOf(limit, offset, 1_000) }
}

/** A search by ids. Throws as {@link wholeSearch} does. */
export function assertIdSearch({ prefix, ids }: { readonly prefix: Namespace; readonly ids: readonly string[] }): void {
  assertNamespacePrefix(prefix)
  wholeNumber('The number of ids', ids.length, { atLeast: 0, atMost: 100 })
}

/** A page of versions, older than `before`. Throws as {@link wholeSearch} does. */
export function wholeHistory({ limit = 10, before }: { readonly limit?: unknown; readonly before?: unknown }) {
  const page = { limit: wholeNumber('The limit', limit, { atLeast: 1, atMost: 100 }) }
  if (before === undefined) return { ...page, before }
  return { ...page, before: wholeNumber('The version', before, { atLeast: 0, atMost: Number.MAX_SAFE_INTEGER }) }
}

function refused(problem: string): RecollectError {
  return new RecollectError('input_invalid', problem)
}
