// What a run remembers with: the store, bound to its tenant and person, and what it has recalled so far.
import { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { itemId } from '../kernel/item.ts'
import type { Namespace } from '../kernel/namespace.ts'
import { type BoundStore, boundStore } from '../memory/bound-store.ts'
import { type BoundMemory, boundMemory, type Memory, memoryOf } from '../memory/memory.ts'
import { mayRead, type RecalledRef, readAgain, recalledText } from '../memory/recalled-text.ts'
import type { Effects, Store } from '../ports/store.ts'
import { patientStore } from './patient-store.ts'
import type { RunScope } from './run-scope.ts'
import { isHeld } from './run-scope.ts'

export interface Remembering {
  readonly store: Store | undefined
  /** Namespaces that everybody of a tenant may read, beside their own. */
  readonly shared: readonly Namespace[]
  /** What this run has read, by id: it is not read twice. */
  readonly known: Map<string, Memory>
  readonly defer: (work: Promise<unknown>) => void
}

export function remembering(
  {
    store,
    sharedNamespaces: shared,
  }: { readonly store: Store | undefined; readonly sharedNamespaces: readonly Namespace[] },
  defer: Remembering['defer'],
  known: Remembering['known'] = new Map(),
): Remembering {
  return { store, shared, known, defer }
}

type Scope = Pick<RunScope, 'tenant' | 'user' | 'held' | 'remembering' | 'signal'>

export function storeOf(scope: Scope, node: string): BoundStore {
  return boundStore(neededStore(scope, node), scope.tenant, effectsOf(scope))
}

export function memoryFor(scope: Scope, node: string, key: string): (...namespace: readonly string[]) => BoundMemory {
  const store = neededStore(scope, node)
  const { tenant, user, remembering } = scope
  const binding = {
    ...{ store, tenant, effects: effectsOf(scope), author: user === '' ? undefined : user },
    keyFor: (text: string) => hashOf(key, text),
    recalled: (items: readonly Parameters<typeof memoryOf>[0][]) => {
      for (const item of items) remembering.known.set(item.id, memoryOf(item))
    },
  }
  return (...namespace) => boundMemory({ ...binding, namespace })
}

/** What goes into a prompt of what was recalled; '' for nothing. */
export async function recalledFor(scope: Scope, node: string, refs: readonly RecalledRef[]): Promise<string> {
  if (refs.length === 0) return ''
  const store = neededStore(scope, node)
  const { tenant, user, remembering } = scope
  const allowed = (namespace: Namespace) => mayRead(user, namespace, remembering.shared)
  const reading = { store, tenant, effects: effectsOf(scope), mayRead: allowed, known: remembering.known }
  return recalledText(await readAgain(refs, reading))
}

/** Nothing is written before the claim is kept: a refresh of a time to live is an effect too. */
function effectsOf({ held, remembering }: Scope): Effects {
  return { after: isHeld(held) ? Promise.resolve(held) : held, defer: remembering.defer }
}

/** What the run writes itself it reads again. */
function neededStore({ remembering: { store, known }, signal }: Scope, node: string): Store {
  if (store !== undefined) return unlearning(patientStore(store, signal), known)
  throw new RecollectError(
    'store_missing',
    `Node "${node}" uses the store, but the graph was compiled without one. Pass it: compile({ store: … }).`,
  )
}

function unlearning(store: Store, known: Remembering['known']): Store {
  return {
    ...store,
    async put(put) {
      const outcome = await store.put(put)
      known.delete(outcome.id)
      return outcome
    },
    async delete(deletion) {
      const deleted = await store.delete(deletion)
      known.delete(itemId(deletion.namespace, deletion.key))
      return deleted
    },
  }
}
