// The Upstash client with the defaults that recollect needs.
import { Redis } from '@upstash/redis/cloudflare'

/** Of the REST API, as the console of Upstash shows them. */
export interface UpstashAddress {
  readonly url: string
  readonly token: string
}

/**
 * Values come back as they were written: the client's own parsing turns "42" into a number. No retries: a write that is sent
 * twice may be done twice. A signal given as a function makes a late answer an error; a plain one makes it a false value.
 */
export function upstashClient({ url, token }: UpstashAddress, timeoutMs: number): Redis {
  return new Redis({
    url,
    token,
    automaticDeserialization: false,
    responseEncoding: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    readYourWrites: false,
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(timeoutMs),
  })
}
