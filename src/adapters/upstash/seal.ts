// Seals what is kept in Redis, so that whoever reads or writes there can neither read a thread nor pass one off as another.
import { RecollectError } from '../../kernel/errors.ts'
import { Derivation, type Seal as KernelSeal } from '../../kernel/seal.ts'
import type { CacheKey } from '../../ports/cache.ts'
import type { UpstashAddress } from './client.ts'

export interface SealOptions extends UpstashAddress {
  /** Seals the entries; 32 characters or more. With another secret everything kept is a miss. */
  readonly secret: string
  /** What tells this database from others, so that two deployments on one Redis never mix. */
  readonly database: string
}

/** Bound to one thread of one tenant on one database: an element moved elsewhere does not open. */
export interface Seal extends KernelSeal {
  /** The Redis key; it names nobody. */
  readonly name: string
}

/** Throws `environment_invalid`. */
export function assertSecret(secret: string): void {
  if (secret.length >= 32) return
  throw new RecollectError('environment_invalid', 'The secret of the cache must have 32 characters or more.')
}

/** `purpose` keeps apart what is kept of one thread for several ends. */
export async function sealFor(
  { secret, database }: SealOptions,
  { tenant, thread, owner }: CacheKey,
  purpose: 'cache' | 'events',
): Promise<Seal> {
  const derivation = await Derivation.from(secret, purpose, [database, tenant, thread, owner])
  const [name, seal] = await Promise.all([derivation.name(), derivation.seal()])
  return { name: `recollect:${name}`, ...seal }
}
