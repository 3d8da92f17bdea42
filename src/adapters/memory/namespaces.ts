// The namespaces that there are, of the in-memory store.
import { wholeNumber } from '../../kernel/item.ts'
import { assertNamespacePrefix, compareText, isWithin, type Namespace, pathOf } from '../../kernel/namespace.ts'
import type { NamespaceSearch } from '../../ports/store.ts'

/** Each once, in order of their paths. */
export function namespacesIn(
  items: readonly { readonly namespace: Namespace }[],
  { prefix = [], suffix = [], maxDepth, limit = 100, offset = 0 }: NamespaceSearch,
): readonly Namespace[] {
  assertNamespacePrefix(prefix)
  assertNamespacePrefix(suffix)
  if (maxDepth !== undefined) wholeNumber('The depth', maxDepth, { atLeast: 1, atMost: 16 })
  wholeNumber('The limit', limit, { atLeast: 1, atMost: 1_000 })
  wholeNumber('The offset', offset, { atLeast: 0, atMost: 10_000 })
  const found = items
    .map(({ namespace }) => namespace)
    .filter((namespace) => isWithin(namespace, prefix) && isWithin(namespace.toReversed(), suffix.toReversed()))
    .map((namespace) => namespace.slice(0, maxDepth))
  const distinct = new Map(found.map((namespace) => [pathOf(namespace), namespace]))
  return [...distinct]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, namespace]) => namespace)
    .slice(offset, offset + limit)
}
