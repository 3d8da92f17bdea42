// Namespaces as they are written before it is known whose: templates with `{user}` and `{thread}` in them.
import { RecollectError } from '../kernel/errors.ts'
import { assertNamespace, type Namespace } from '../kernel/namespace.ts'

export const ownNamespace: Namespace = ['users', '{user}']

/** Throws `id_invalid`: `u-{user}` would be one namespace, for everybody. */
export function templateOf(template: Namespace = ownNamespace): Namespace {
  assertNamespace(template)
  const part = template.find((segment) => /\{\w*\}/.test(segment) && segment !== '{user}' && segment !== '{thread}')
  if (part === undefined) return template
  throw new RecollectError(
    'id_invalid',
    `The namespace ${JSON.stringify(template)} has "${part}" in it: only {user} and {thread} are filled in, and each as a whole segment, such as ["users", "{user}", "notes"].`,
  )
}

/** Only whole segments are filled in: what a user is called cannot make another namespace of it. */
export function namespaceFor(
  template: Namespace,
  { user, thread }: { readonly user: string; readonly thread: string | undefined },
): Namespace {
  return template.map((segment) => {
    if (segment !== '{user}' && segment !== '{thread}') return segment
    const own = segment === '{user}' ? user : thread
    if (own) return own
    const code = segment === '{user}' ? 'id_invalid' : 'thread_missing'
    throw new RecollectError(code, `The namespace has ${segment} in it, and this run has no ${segment.slice(1, -1)}.`)
  })
}
