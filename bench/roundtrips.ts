// Storage calls of a turn, counted at the wire, and how many of them stand in a row before the model is asked.
import type { WireEntry } from '../local/stand-in.ts'
import { user } from '../src/index.ts'
import type { ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'

/** Added to every storage call: calls that left together are seen to overlap, and Redis is nearer, as it is where there are replicas. */
const latencyMs = { postgres: 60, redis: 20 }

const supersteps = { oneNode: 1, agentToolsAgent: 3 }
const questions = { oneNode: 'Hello there.', agentToolsAgent: 'use lookup_order {"order":"A1"}' }

export async function roundtrips(choices: ServerChoices): Promise<Record<string, unknown>> {
  const running = await stack(choices)
  const { postgres, redis } = running.services.standIns
  postgres.knobs.latencyMs = latencyMs.postgres
  redis.knobs.latencyMs = latencyMs.redis
  try {
    // A first turn elsewhere, so that "cold" is a new thread and not a new process: connections, Lua scripts.
    await turn(running, 'warm-up', 'oneNode')
    return {
      oneNode: { cold: await turn(running, 'one', 'oneNode'), warm: await turn(running, 'one', 'oneNode') },
      agentToolsAgent: {
        cold: await turn(running, 'three', 'agentToolsAgent'),
        warm: await turn(running, 'three', 'agentToolsAgent'),
      },
      latencyMs,
    }
  } finally {
    await running.close()
  }
}

async function turn({ graphs, taken }: Stack, thread: string, kind: keyof typeof questions) {
  taken()
  const at = { tenant: 'bench', user: 'bench', thread }
  await graphs.support?.run({ messages: [user(questions[kind])] }, at)
  const { postgres, redis, model } = taken()
  const askedAt = model[0]?.startedAt ?? 0
  const before = (entry: WireEntry) => entry.endedAt <= askedAt
  return {
    supersteps: supersteps[kind],
    postgres: operations(postgres),
    redis: operations(redis),
    redisStream: 0,
    serialBeforeModel: longestChain([...postgres, ...redis].filter(before)),
    postgresBeforeModel: operations(postgres.filter(before)),
  }
}

function operations(entries: readonly WireEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.operations.length, 0)
}

/** The most calls of which each began after the one before it had ended. */
function longestChain(entries: readonly WireEntry[]): number {
  let length = 0
  let endedAt = Number.NEGATIVE_INFINITY
  for (const entry of [...entries].sort((a, b) => a.endedAt - b.endedAt)) {
    if (entry.startedAt < endedAt) continue
    length++
    endedAt = entry.endedAt
  }
  return length
}
