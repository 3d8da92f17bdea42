// What runs have told, in the memory of one process.
import type { CacheKey } from '../../ports/cache.ts'
import type { EventLog, EventPart } from '../../ports/event-log.ts'

const keptForMs = 600_000
const deletedForMs = 120_000

/** Everything is lost with the process, and ten minutes after its last part. */
export function memoryEventLog(): EventLog {
  const kept = new Map<string, { parts: EventPart[]; epoch: number; untilMs: number }>()
  const nameOf = ({ tenant, thread, owner }: CacheKey) => JSON.stringify([tenant, thread, owner])
  const find = (key: CacheKey) => {
    const found = kept.get(nameOf(key))
    return found !== undefined && found.untilMs > Date.now() ? found : undefined
  }
  return {
    async append(key, part) {
      const { epoch = -1, parts = [] } = find(key) ?? {}
      if (epoch > part.epoch) return false
      const before = epoch === part.epoch ? parts : []
      // Sent again, for want of an answer.
      if (before.at(-1)?.index === part.index) return true
      if (before.length !== part.index) return false
      kept.set(nameOf(key), { parts: [...before, part], epoch: part.epoch, untilMs: Date.now() + keptForMs })
      return true
    },
    async read(key, after) {
      const { epoch, parts = [] } = find(key) ?? {}
      return after === undefined || after.epoch !== epoch ? parts : parts.slice(after.index + 1)
    },
    async delete(key) {
      kept.set(nameOf(key), { parts: [], epoch: Number.POSITIVE_INFINITY, untilMs: Date.now() + deletedForMs })
    },
  }
}
