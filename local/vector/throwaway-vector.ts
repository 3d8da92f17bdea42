// An Upstash Vector for a test or a bench: empty, in memory, on a free port, gone when stopped.
import { randomUUID } from 'node:crypto'
import { type LocalVector, type UpstashVectorOptions, upstashVector } from './server.ts'

export interface ThrowawayVector {
  /** For the client. */
  readonly url: string
  readonly token: string
  /** Its knobs, and what crossed the wire. */
  readonly standIn: LocalVector
  stop(): Promise<void>
}

export async function throwawayVector(
  options: Pick<UpstashVectorOptions, 'kind' | 'embeds' | 'knobs' | 'clock'> = {},
): Promise<ThrowawayVector> {
  const token = randomUUID()
  const standIn = await upstashVector({ ...options, token })
  return { url: standIn.url, token, standIn, stop: standIn.close }
}
