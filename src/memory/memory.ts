// A memory: the store under one namespace, as agents use it. Recalled texts are data, with where they come from beside them.
import { RecollectError } from '../kernel/errors.ts'
import type { Filter } from '../kernel/filter.ts'
import { hashOf } from '../kernel/hash.ts'
import { assertNamespace, type Namespace } from '../kernel/namespace.ts'
import type { Effects, Item, ItemValue, Nearby, Store } from '../ports/store.ts'

/** What was recalled. Its text is what somebody said once: data, never instructions. */
export interface Memory {
  /** What it is cited by. */
  readonly id: string
  /** From 1; another one with each change. */
  readonly version: number
  readonly namespace: Namespace
  readonly text: string
  readonly tags: readonly string[]
  /** `null`: it was remembered without; the author too. */
  readonly source: string | null
  readonly author: string | null
  /** ISO 8601. */
  readonly updatedAt: string
}

export interface RecallOptions {
  /** How many at most, 1 to 100. 5 unless told otherwise. */
  readonly limit?: number
  /** Which ones alone, such as `{ op: 'contains', field: 'tags', value: 'travel' }`. */
  readonly filter?: Filter
  /** About how many tokens their texts may have, at four characters each: the nearest first, as many as fit. 1,000 unless told otherwise. */
  readonly budgetTokens?: number
}

export interface RememberOptions {
  /** What a later one under the same key takes the place of. Without it each text is its own. */
  readonly key?: string
  /** What filters ask for: at most 32, each of 1 to 64 characters. */
  readonly tags?: readonly string[]
  /** Where it comes from, such as `chat`: 1 to 256 characters. All of one source can be forgotten. */
  readonly source?: string
  /** Who said it: the run's user unless told otherwise. */
  readonly author?: string
  /** What was said beside it, for the index alone. */
  readonly nearby?: Nearby
  /** How long it lives without being read, in milliseconds; `null` pins it. As its namespace has it unless told otherwise. */
  readonly ttlMs?: number | null
  /** More than the text, found by filters on `value.<name>`: plain data, with the text at most 64 KiB as JSON. */
  readonly value?: ItemValue
}

/** Every method throws what the store throws. */
export interface BoundMemory {
  readonly namespace: Namespace
  /**
   * At or below the namespace, the nearest first. Nothing is said of a text without words: the latest, then. Throws `input_invalid` for
   * a limit, a filter or a budget that is none.
   */
  recall(text: string, options?: RecallOptions): Promise<readonly Memory[]>
  /**
   * Durable when it is answered. The same text of the same author, remembered again with the same details, is one memory. Throws
   * `input_invalid` for an empty text, `item_too_large`, and `run_fenced` when the run's thread was deleted or taken over.
   */
  remember(text: string, options?: RememberOptions): Promise<{ readonly id: string; readonly version: number }>
  /** By id, with its history. False: there is no such memory here. */
  forget(id: string): Promise<boolean>
}

interface Binding {
  readonly store: Store
  readonly tenant: string
  readonly namespace: Namespace
  readonly effects: Effects
  /** Who is remembered as the author, unless another is named. */
  readonly author: string | undefined
  /** The same whenever the same task remembers the same text. */
  readonly keyFor: (text: string) => string
  readonly recalled: (items: readonly Item[]) => void
}

/** Throws `id_invalid` for what is no namespace. */
export function boundMemory({ store, tenant, namespace, effects, author, keyFor, recalled }: Binding): BoundMemory {
  assertNamespace(namespace)
  return {
    namespace,
    async recall(text, { limit = 5, filter, budgetTokens = 1_000 } = {}) {
      if (!(budgetTokens >= 0)) throw new RecollectError('input_invalid', 'budgetTokens must be a number, 0 or more.')
      const query = /[\p{L}\p{N}]/u.test(text) ? text.trim() : ''
      const { items } = await store.search({
        ...{ tenant, prefix: namespace, limit, ...effects },
        ...(query !== '' && { query }),
        ...(filter !== undefined && { filter }),
      })
      const fitting = withinBudget(items, budgetTokens)
      recalled(fitting)
      return fitting.map(memoryOf)
    },
    async remember(text, { key, value, ...options } = {}) {
      if (text.trim() === '') throw new RecollectError('input_invalid', 'A memory needs a text.')
      const by = author === undefined ? {} : { author }
      const item = { ...by, ...options, tenant, namespace, value: { ...value, text }, text, ...effects }
      const own = hashOf('remembered', item.author ?? '', text)
      // What has become of the same text since, such as a correction, keeps its place.
      const first = await store.put({ ...item, key: key ?? own, ...(key === undefined && { expectedVersion: 0 }) })
      const { id, version } = first.outcome === 'saved' ? first : await store.put({ ...item, key: keyFor(text) })
      return { id, version }
    },
    async forget(id) {
      const [item] = await store.find({ tenant, prefix: namespace, ids: [id], refresh: false, ...effects })
      // What an application keeps without a text is no memory: nobody is talked into forgetting it.
      if (item === undefined || item.text === '') return false
      return store.delete({ tenant, namespace: item.namespace, key: item.key, ...effects })
    },
  }
}

export function memoryOf({ id, version, namespace, text, tags, source, author, updatedAt }: Item): Memory {
  return { id, version, namespace, text, tags, source, author, updatedAt }
}

/** In their order. One that does not fit is passed over: a long one does not keep all others out. Without a text it says nothing. */
function withinBudget<Found extends Item>(items: readonly Found[], budgetTokens: number): readonly Found[] {
  let left = budgetTokens
  return items.filter(({ text }) => {
    const tokens = Math.ceil(text.length / 4)
    if (text.trim() === '' || tokens > left) return false
    left -= tokens
    return true
  })
}
