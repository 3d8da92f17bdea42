// Our side: the agent on Neon's published client, with and without the cache.
import { neon } from '@neondatabase/serverless'
import * as z from 'zod/mini'
import { memoryCache } from '../../src/adapters/memory/index.ts'
import { neonCheckpointer } from '../../src/adapters/neon/index.ts'
import { upstashCache } from '../../src/adapters/upstash/index.ts'
import { agent, type CompileOptions, tool, user } from '../../src/index.ts'
import type { Model } from '../../src/ports/model.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { wordsFrom } from '../words.ts'
import { type Contestant, characters, type Traffic } from './contestant.ts'
import { type Seeds, seedsOf } from './seeds.ts'
import type { Wires } from './wires.ts'

type Graphs = ReturnType<typeof compiled>

export function recollectContestants(wires: Wires): { ours: Contestant; oursCached: Contestant } {
  const words = wordsFrom(7)
  const checkpointer = neonCheckpointer(neon(wires.urls.neon))
  const cache = upstashCache({
    url: `http://127.0.0.1:${wires.redis.port}`,
    token: wires.redisToken,
    secret: 'a secret of a bench, with 32 characters',
    database: 'bench',
  })
  // A cache in the process: a thread of 1,000 turns would else be read a thousand times to be made.
  const growing = compiled(words, { checkpointer, cache: memoryCache() })
  const seeds = seedsOf(wires.urls.neon, (graph, tenant) =>
    growing[graph].run({ messages: [user(words(characters))] }, addressOf(tenant)),
  )
  const plain = compiled(words, { checkpointer })
  const cached = compiled(words, { checkpointer, cache })
  return {
    ours: contestant(plain, seeds, words, () => takenFrom(wires)),
    oursCached: contestant(cached, seeds, words, () => ({ ...takenFrom(wires), ...redisTakenFrom(wires) })),
  }
}

/** Each thread is the only one of its tenant, so the tenant's name is the thread's here. */
function contestant(graphs: Graphs, seeds: Seeds, words: Words, taken: () => Traffic): Contestant {
  return {
    async grow(graph, turns) {
      const tenant = await seeds.copied(graph, turns - 1)
      // The last turn is made here: it puts the thread into the cache, where there is one.
      await graphs[graph].run({ messages: [user(words(characters))] }, addressOf(tenant))
      return tenant
    },
    async turn(graph, tenant, text) {
      const work: Promise<unknown>[] = []
      const waitUntil = (promise: Promise<unknown>) => work.push(promise)
      const options = { ...addressOf(tenant), strategy: 'enqueue', waitUntil } as const
      await graphs[graph].run({ messages: [user(text)] }, options)
      return { afterwards: Promise.all(work) }
    },
    async read(graph, tenant) {
      const { values } = await graphs[graph].state(addressOf(tenant))
      return values.messages.map(({ content }) => content)
    },
    taken,
  }
}

type Words = (length: number) => string

function compiled(words: Words, storage: CompileOptions) {
  const answering = forgetful(() => words(characters))
  const asking = forgetful((messages) =>
    messages.at(-1)?.role === 'user' ? { calls: [{ name: 'look_up', arguments: { order: 'A1' } }] } : words(characters),
  )
  const lookUp = tool('look_up', {
    description: 'Looks up an order.',
    input: z.object({ order: z.string() }),
    run: () => words(characters),
  })
  return {
    oneNode: agent().compile({ ...storage, model: answering, name: 'one' }),
    agentToolsAgent: agent({ tools: [lookUp] }).compile({ ...storage, model: asking, name: 'tools' }),
  }
}

/** The scripted model keeps every request for tests: after a thousand turns those would fill the memory. */
function forgetful(script: Script): Model {
  return { stream: (request) => scriptedModel(script).stream(request) }
}

function addressOf(tenant: string) {
  return { tenant, user: 'bench', thread: 'thread' }
}

function takenFrom({ standIns, neon: line }: Wires): Traffic {
  const entries = standIns.neon.log.splice(0)
  const snapshots = entries.filter(({ operations }) => operations.includes('put_snapshot_v1'))
  const others = entries.filter((entry) => !snapshots.includes(entry))
  const { sentBytes, receivedBytes } = line.taken()
  return {
    statements: others.reduce((sum, { operations }) => sum + operations.length, 0),
    bytes: others.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    sentBytes,
    receivedBytes,
    snapshotBytes: snapshots.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
  }
}

function redisTakenFrom({ standIns, redis }: Wires) {
  const entries = standIns.redis.log.splice(0)
  return {
    redisCommands: entries.reduce((sum, { operations }) => sum + operations.length, 0),
    redisBytes: redis.taken().sentBytes,
  }
}
