// A store with rules for who writes where: one graph may be given less of a shared store than another.
import { RecollectError } from '../kernel/errors.ts'
import { assertOperations } from '../kernel/item.ts'
import { assertNamespace, assertNoTemplate, isWithin, type Namespace } from '../kernel/namespace.ts'
import type { Effects, ItemDeletion, ItemOperation, ItemPut, Store } from '../ports/store.ts'

/** What is about to be written or deleted, as the caller gave it: not yet checked by the store. */
export type StoreWrite =
  | ({ readonly op: 'put' } & Omit<ItemPut, 'tenant' | keyof Effects>)
  | ({ readonly op: 'delete' } & Omit<ItemDeletion, 'tenant' | keyof Effects>)

export interface WriteRule {
  /** It is for what lies at or below. */
  readonly namespace: Namespace
  /** Whether this may be written, or deleted; `false`: nothing may. */
  readonly write: false | ((write: StoreWrite) => boolean)
}

/**
 * The same store: what a rule does not allow is `item_forbidden`, and nothing of it is written. Where several rules apply, all must
 * allow it; where none does, it is allowed. Reading is as before. Throws `id_invalid` for a rule on what is no namespace, or a template.
 */
export function guardedStore(store: Store, rules: readonly WriteRule[]): Store {
  for (const { namespace } of rules) {
    assertNamespace(namespace)
    assertNoTemplate(namespace)
  }
  const assertAllowed = (write: StoreWrite) => {
    // An address that is none is refused by the store, in its own words.
    const at = Array.isArray(write.namespace) ? write.namespace : []
    for (const rule of rules) {
      if (!isWithin(at, rule.namespace) || (rule.write !== false && rule.write(write) === true)) continue
      throw new RecollectError(
        'item_forbidden',
        `The rules of the store do not allow this to be ${write.op === 'put' ? 'written' : 'deleted'} below ${JSON.stringify(rule.namespace)}.`,
      )
    }
  }
  return {
    async put(put) {
      assertAllowed({ ...put, op: 'put' })
      return store.put(put)
    },
    async delete(deletion) {
      assertAllowed({ ...deletion, op: 'delete' })
      return store.delete(deletion)
    },
    async batch(batch) {
      assertOperations(batch.operations)
      for (const write of batch.operations.filter(isWrite)) assertAllowed(write)
      return store.batch(batch)
    },
    get: (read) => store.get(read),
    find: (search) => store.find(search),
    search: (search) => store.search(search),
    listNamespaces: (search) => store.listNamespaces(search),
    history: (read) => store.history(read),
    forgetVersions: (of) => store.forgetVersions(of),
    expire: (limit) => store.expire(limit),
    ...(store.deliver !== undefined && { deliver: store.deliver }),
  }
}

function isWrite(operation: ItemOperation): operation is Exclude<ItemOperation, { readonly op: 'get' }> {
  return operation.op !== 'get'
}
