// The namespaces that there are, of the in-memory store.
import { wholeNamespaceSearch } from '../../kernel/listing.ts'
import { compareText, isWithin, type Namespace, pathOf } from '../../kernel/namespace.ts'
import type { NamespaceSearch } from '../../ports/store.ts'

/** Each once, in order of their paths. */
export function namespacesIn(
  items: readonly { readonly namespace: Namespace }[],
  search: NamespaceSearch,
): readonly Namespace[] {
  const { within, pattern, depth, limit, offset } = wholeNamespaceSearch(search)
  const wanted = new RegExp(pattern)
  const found = items
    .map(({ namespace }) => namespace)
    .filter((namespace) => isWithin(namespace, within) && wanted.test(pathOf(namespace)))
    .map((namespace) => namespace.slice(0, depth))
  const distinct = new Map(found.map((namespace) => [pathOf(namespace), namespace]))
  return [...distinct]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, namespace]) => namespace)
    .slice(offset, offset + limit)
}
