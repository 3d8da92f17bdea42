// The services that a measurement runs against: the local stack in a temporary folder, and the support graph on the real clients.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localSecrets } from '../local/secrets.ts'
import { type Services, startServices } from '../local/services.ts'
import type { WireEntry } from '../local/stand-in.ts'
import { type Composition, compile } from '../workers/compile.ts'

export interface Stack extends Composition {
  readonly services: Services
  /** What crossed the wire since it was last asked, per service. */
  taken(): { postgres: WireEntry[]; redis: WireEntry[]; model: WireEntry[] }
  close(): Promise<void>
}

export async function stack(): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'recollect-bench-'))
  const secrets = await localSecrets(directory)
  const services = await startServices(directory, secrets)
  const { RECOLLECT_LOCAL: _, ...variables } = services.variables
  const { postgres, redis, model } = services.standIns
  return {
    ...compile({ ...variables, AUTH_SECRET: secrets.auth }),
    services,
    taken: () => ({
      postgres: postgres.log.splice(0),
      redis: redis.log.splice(0),
      model: model?.log.splice(0) ?? [],
    }),
    async close() {
      await services.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
