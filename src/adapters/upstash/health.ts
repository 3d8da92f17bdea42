// Whether Redis answers.
import { RecollectError } from '../../kernel/errors.ts'
import { type UpstashAddress, upstashClient } from './client.ts'

const timeoutMs = 2_000

/** Throws `storage_unavailable`. */
export async function checkUpstash(address: UpstashAddress): Promise<void> {
  try {
    await upstashClient(address, timeoutMs).ping()
  } catch {
    // Its message holds the command, and with another command would hold more.
    throw new RecollectError(
      'storage_unavailable',
      'Upstash Redis did not answer, or refused the token. Threads are read from Postgres meanwhile.',
    )
  }
}
