// The services that a measurement runs against: the local stack in a temporary folder, and the support graph on the real clients.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalSecrets, localSecrets } from '../local/secrets.ts'
import { type ServiceChoices, type Services, startServices } from '../local/services.ts'
import type { WireEntry } from '../local/stand-in.ts'
import { type Composition, compile } from '../workers/compile.ts'
import { embedded, type ServerChoices, startServers } from './servers.ts'

export interface TemporaryServices {
  readonly services: Services
  readonly secrets: LocalSecrets
  readonly directory: string
  /** A Worker's settings. What nodes see is not frozen deeply, as it is not in production. */
  readonly variables: Readonly<Record<string, string>>
  /** Process ids of the servers that are real. */
  readonly servers: Readonly<Record<string, number>>
  close(): Promise<void>
}

export async function temporaryServices(
  choices: ServerChoices,
  { chunkDelayMs = 5, vector }: Pick<ServiceChoices, 'chunkDelayMs' | 'vector'> = {},
): Promise<TemporaryServices> {
  const servers = await startServers(choices)
  const directory = await mkdtemp(join(tmpdir(), 'recollect-bench-'))
  const secrets = await localSecrets(directory)
  const services = await startServices(directory, secrets, { ...servers.engines, chunkDelayMs, vector })
  await services.ready()
  const { RECOLLECT_LOCAL: _, ...variables } = services.variables
  return {
    services,
    secrets,
    directory,
    variables: { ...variables, AUTH_SECRET: secrets.auth },
    servers: servers.pids,
    async close() {
      await services.close()
      await servers.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export interface Stack extends Composition {
  readonly services: Services
  /** What crossed the wire since it was last asked, per service. */
  taken(): Record<'postgres' | 'redis' | 'vector' | 'model', WireEntry[]>
  close(): Promise<void>
}

export async function stack(
  choices: ServerChoices = embedded,
  pace: Pick<ServiceChoices, 'chunkDelayMs'> = {},
): Promise<Stack> {
  const { services, variables, close } = await temporaryServices(choices, pace)
  const { postgres, redis, vector, model } = services.standIns
  return {
    ...compile(variables),
    services,
    taken: () => ({
      postgres: postgres.log.splice(0),
      redis: redis.log.splice(0),
      vector: vector.log.splice(0),
      model: model?.log.splice(0) ?? [],
    }),
    close,
  }
}
