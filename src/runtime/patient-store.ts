// The store as runs use it: what they read is asked for again while storage is away, as long as a commit would be.
import type { Store } from '../ports/store.ts'
import { commitPatienceMs, resend } from './resend.ts'

/** Writes are sent once: whoever writes hears that it is not known whether it was done. */
export function patientStore(store: Store, signal: AbortSignal): Store {
  const again = <Result>(read: () => Promise<Result>) => resend(read, commitPatienceMs, signal)
  return {
    put: (put) => store.put(put),
    delete: (deletion) => store.delete(deletion),
    batch: (batch) => store.batch(batch),
    forgetVersions: (of) => store.forgetVersions(of),
    expire: (limit) => store.expire(limit),
    get: (read) => again(() => store.get(read)),
    search: (search) => again(() => store.search(search)),
    listNamespaces: (search) => again(() => store.listNamespaces(search)),
    history: (read) => again(() => store.history(read)),
    find: (search) => again(() => store.find(search)),
  }
}
