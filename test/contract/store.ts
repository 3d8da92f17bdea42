// The one suite for every store: the same items, whatever they are kept in.
import { afterAll, beforeAll, describe } from 'vitest'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Later } from './later.ts'
import { expiry } from './store/expiry.ts'
import { filters } from './store/filters.ts'
import { holding } from './store/holding.ts'
import { hostile } from './store/hostile.ts'
import { items } from './store/items.ts'
import { namespaces } from './store/namespaces.ts'
import { searching } from './store/searching.ts'
import { versions } from './store/versions.ts'

export interface MadeStore {
  /** `['short', …]` lives a minute and `['kept', …]` until it is deleted, unless told otherwise; the rest 90 days. */
  readonly store: Store
  /** Of the threads in the same database. */
  readonly checkpointer: Checkpointer
  readonly later: Later
  close(): Promise<void>
}

export const retention = [
  { namespace: ['short'], ttlMs: 60_000 },
  { namespace: ['kept'], ttlMs: null },
  { namespace: ['short', 'longer'], ttlMs: 3_600_000 },
]

type Part = (subject: () => Store, checkpointer: () => Checkpointer, later: Later) => void

export function storeContract(name: string, make: () => Promise<MadeStore>) {
  suite(`${name} keeps the store contract`, make, {
    ...{ items, versions, searching, filters, namespaces, expiry, holding },
    'hostile text': hostile,
  })
}

/** The part of it that an index has to do with. */
export function searchContract(name: string, make: () => Promise<MadeStore>) {
  suite(`an index that is ${name} keeps the contract on search`, make, { searching })
}

function suite(name: string, make: () => Promise<MadeStore>, parts: Readonly<Record<string, Part>>) {
  describe(name, () => {
    let made: MadeStore | undefined
    beforeAll(async () => {
      made = await make()
    })
    afterAll(() => made?.close())
    const subject = () => {
      if (made === undefined) throw new Error('The store of this suite was not made.')
      return made
    }
    const [store, checkpointer] = [() => subject().store, () => subject().checkpointer]
    const later: Later = (...time) => subject().later(...time)
    for (const [part, contract] of Object.entries(parts)) describe(part, () => contract(store, checkpointer, later))
  })
}
