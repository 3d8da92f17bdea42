// Whether Redis answers, and whether Vector does.
import { Index } from '@upstash/vector/cloudflare'
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

/** Throws `storage_unavailable`. */
export async function checkUpstashVector({ url, token }: UpstashAddress): Promise<void> {
  const signal = () => AbortSignal.timeout(timeoutMs)
  try {
    await new Index({ url, token, enableTelemetry: false, retry: { retries: 0 }, signal }).info()
  } catch {
    throw new RecollectError(
      'storage_unavailable',
      'Upstash Vector did not answer, or refused the token. Memories are found by words alone meanwhile.',
    )
  }
}
