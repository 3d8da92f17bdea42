// Which namespaces a principal may reach: below `users` their own, what the deployment shares to read, and with `operate` all of the tenant.
import { RecollectError } from '../kernel/errors.ts'
import { isWithin, type Namespace } from '../kernel/namespace.ts'
import { mayRead as readable } from '../memory/recalled-text.ts'
import type { Store } from '../ports/store.ts'
import type { Principal, Service } from './service.ts'

export function ownNamespace({ user }: Principal): Namespace {
  return ['users', user]
}

export function mayRead({ sharedNamespaces = [] }: Service, principal: Principal, namespace: Namespace): boolean {
  return principal.scopes.has('operate') || readable(principal.user, namespace, sharedNamespaces)
}

/** Throws `scope_missing`: the same whether or not anything is there. */
export function assertReadable(service: Service, principal: Principal, namespace: Namespace): void {
  if (!mayRead(service, principal, namespace)) throw foreign(principal)
}

/** What is shared is written by whoever operates the tenant. */
export function assertWritable(principal: Principal, namespace: Namespace): void {
  if (!principal.scopes.has('operate') && !isWithin(namespace, ownNamespace(principal))) throw foreign(principal)
}

export function storeOf({ store }: Service): Store {
  if (store !== undefined) return store
  throw new RecollectError('feature_unsupported', 'This deployment has no long-term store.')
}

function foreign(principal: Principal): RecollectError {
  return new RecollectError(
    'scope_missing',
    `This token reaches ${JSON.stringify(ownNamespace(principal))} and what lies below it. The rest of the tenant needs the scope "operate".`,
    { details: { scopes: ['operate'] } },
  )
}
