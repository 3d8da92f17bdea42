// Namespaces as they are written before it is known whose: templates with `{user}` and `{thread}` in them.
import { RecollectError } from '../kernel/errors.ts'
import type { Namespace } from '../kernel/namespace.ts'

export const ownNamespace: Namespace = ['users', '{user}']

/** Only whole segments are filled in: what a user is called cannot make another namespace of it. */
export function namespaceFor(
  template: Namespace,
  { user, thread }: { readonly user: string; readonly thread: string | undefined },
): Namespace {
  return template.map((segment) => {
    if (segment === '{user}') return user
    if (segment !== '{thread}') return segment
    if (thread !== undefined) return thread
    throw new RecollectError('thread_missing', 'The namespace has {thread} in it, and this run has no thread.')
  })
}
