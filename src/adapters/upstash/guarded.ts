// Errors of Redis, without its own words: they hold the whole command.
import { RecollectError } from '../../kernel/errors.ts'

/** Throws `storage_unavailable` for whatever goes wrong. */
export async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch {
    throw new RecollectError('storage_unavailable', 'Upstash Redis did not answer. The turn goes on without it.')
  }
}
