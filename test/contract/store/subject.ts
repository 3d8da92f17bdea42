// What the parts of the store contract share.
import type { Namespace } from '../../../src/kernel/namespace.ts'
import type { ItemPut, ItemSearch, Store } from '../../../src/ports/store.ts'

export type Subject = () => Store

let tenants = 0

/** A tenant that no other test has, with short words for what tests do most. */
export function freshTenant(subject: Subject, name = '') {
  const tenant = `tenant-${++tenants}${name}`
  return {
    tenant,
    put: (namespace: Namespace, key: string, value: ItemPut['value'] = { text: key }, more: Partial<ItemPut> = {}) =>
      subject().put({ tenant, namespace, key, value, ...more }),
    /** In one statement: what is only there to be found. */
    putAll: (
      puts: readonly { readonly namespace: Namespace; readonly key: string; readonly value: ItemPut['value'] }[],
    ) => subject().batch({ tenant, operations: puts.map((put) => ({ op: 'put', ...put }) as const) }),
    get: (namespace: Namespace, key: string) => subject().get({ tenant, namespace, key }),
    delete: (namespace: Namespace, key: string) => subject().delete({ tenant, namespace, key }),
    search: (prefix: Namespace, more: Partial<ItemSearch> = {}) => subject().search({ tenant, prefix, ...more }),
    keys: async (prefix: Namespace, more: Partial<ItemSearch> = {}) => {
      const { items } = await subject().search({ tenant, prefix, ...more })
      return items.map(({ key }) => key)
    },
    /** The keys of what is nearest: all that is found by words; of what is found by meaning, which leaves nothing out, so many. */
    nearest: async (prefix: Namespace, query: string, count: number) => {
      const { items, mode } = await subject().search({ tenant, prefix, query })
      const keys = items.map(({ key }) => key)
      return mode === 'dense' || mode === 'hybrid' ? keys.slice(0, count) : keys
    },
  }
}

export const passing = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
