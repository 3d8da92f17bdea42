// A store as a node uses it: its tenant's alone, and nothing written before the turn holds its thread.
import type { Namespace } from '../kernel/namespace.ts'
import type {
  Effects,
  HistoryRead,
  Item,
  ItemDeletion,
  ItemPage,
  ItemPut,
  ItemRead,
  ItemSearch,
  ItemValue,
  ItemVersion,
  NamespaceSearch,
  PutOutcome,
  Store,
} from '../ports/store.ts'

type Addressed = 'tenant' | 'namespace' | 'key' | keyof Effects

/** The long-term store. Namespaces are arrays of strings and match by whole segments. Throws as `Store` does. */
export interface BoundStore {
  /** Durable when it is said to be saved. Throws also `run_fenced` when the run's thread was deleted or taken over. */
  put(
    namespace: Namespace,
    key: string,
    value: ItemValue,
    options?: Omit<ItemPut, Addressed | 'value'>,
  ): Promise<PutOutcome>
  /** `undefined`: there is none, or its time is over. Its time to live counts from now, unless `refresh: false`. */
  get(namespace: Namespace, key: string, options?: Omit<ItemRead, Addressed>): Promise<Item | undefined>
  /** With its history. False: there was none, or not of the expected version. */
  delete(namespace: Namespace, key: string, options?: Omit<ItemDeletion, Addressed>): Promise<boolean>
  /** At or below the namespace: 10 items unless `limit` says otherwise. Empty: all of the tenant. */
  search(prefix: Namespace, options?: Omit<ItemSearch, 'tenant' | 'prefix' | keyof Effects>): Promise<ItemPage>
  /** Those that have items, by `prefix`, `suffix` and `maxDepth`. 100 unless `limit` says otherwise. */
  listNamespaces(options?: Omit<NamespaceSearch, 'tenant'>): Promise<readonly Namespace[]>
  /** Its versions, newest first, the present one included: 10 unless `limit` says otherwise. */
  history(namespace: Namespace, key: string, options?: Omit<HistoryRead, Addressed>): Promise<readonly ItemVersion[]>
}

export function boundStore(store: Store, tenant: string, effects: Effects): BoundStore {
  return {
    put: (namespace, key, value, options) => store.put({ ...options, tenant, namespace, key, value, ...effects }),
    get: (namespace, key, options) => store.get({ ...options, tenant, namespace, key, ...effects }),
    delete: (namespace, key, options) => store.delete({ ...options, tenant, namespace, key, ...effects }),
    search: (prefix, options) => store.search({ ...options, tenant, prefix, ...effects }),
    listNamespaces: (options) => store.listNamespaces({ ...options, tenant }),
    history: (namespace, key, options) => store.history({ ...options, tenant, namespace, key }),
  }
}
