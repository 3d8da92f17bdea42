// Storage calls of a turn, counted at the wire, and how many of them stand in a row before the model is asked.
import * as z from 'zod/mini'
import type { WireEntry } from '../local/stand-in.ts'
import { agent, tool, user } from '../src/index.ts'
import { compiledOn } from './compiled.ts'
import type { ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'

/** Added to every storage call: calls that left together are seen to overlap, and Redis is nearer, as it is where there are replicas. */
const latencyMs = { postgres: 60, redis: 20, vector: 20 }

const lookUpOrder = tool('lookup_order', {
  description: 'Where an order is.',
  input: z.object({ order: z.string() }),
  run: ({ order }) => `${order} is on its way.`,
})

/** What is asked of the model in a turn with so many supersteps. */
const turns = {
  oneNode: { supersteps: 1, graph: agent({ tools: [lookUpOrder] }), question: 'Hello there.' },
  agentToolsAgent: {
    supersteps: 3,
    graph: agent({ tools: [lookUpOrder] }),
    question: 'use lookup_order {"order":"A1"}',
  },
  recallReply: { supersteps: 2, graph: agent({ recall: true }), question: 'Hello there.' },
}

export async function roundtrips(choices: ServerChoices): Promise<Record<string, unknown>> {
  const running = await stack(choices)
  const { postgres, redis, vector } = running.services.standIns
  postgres.knobs.latencyMs = latencyMs.postgres
  redis.knobs.latencyMs = latencyMs.redis
  vector.knobs.latencyMs = latencyMs.vector
  try {
    // First turns elsewhere, so that "cold" is a new thread and not a new process: connections, Lua scripts.
    for (const kind of kinds) await turn(running, `warm-up-${kind}`, kind)
    const figures: Record<string, unknown> = {}
    for (const kind of kinds) {
      figures[kind] = { cold: await turn(running, kind, kind), warm: await turn(running, kind, kind) }
    }
    return { ...figures, latencyMs }
  } finally {
    await running.close()
  }
}

const kinds = ['oneNode', 'agentToolsAgent', 'recallReply'] as const

async function turn(running: Stack, thread: string, kind: keyof typeof turns) {
  const { graph, question, supersteps } = turns[kind]
  running.taken()
  const at = { tenant: 'bench', user: 'bench', thread }
  await compiledOn(running, graph).run({ messages: [user(question)] }, at)
  const { postgres, redis, vector, model } = running.taken()
  const askedAt = model[0]?.startedAt ?? 0
  const before = (entry: WireEntry) => entry.endedAt <= askedAt
  return {
    supersteps,
    postgres: operations(postgres),
    redis: operations(redis),
    redisStream: 0,
    ...(vector.length > 0 && { vector: vector.length }),
    serialBeforeModel: longestChain([...postgres, ...redis, ...vector].filter(before)),
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
