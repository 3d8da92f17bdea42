// What tests of extraction talk to: a graph that answers, and remembers by the script of the local model, over any storage.
import { memoriesWritten } from '../../local/model/extraction.ts'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { agent, type ExtractOptions, extraction, sweep, user } from '../../src/index.ts'
import type { Checkpointer, Store } from '../../src/ports/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'

export interface Storage {
  readonly checkpointer: Checkpointer
  readonly store: Store
  /** Lets so many milliseconds pass for what is due. */
  readonly pass: (ms: number) => Promise<unknown>
}

/** With a clock of its own. */
export function inMemory(): Storage {
  let now = 1_700_000_000_000
  return {
    checkpointer: memoryCheckpointer({ now: () => now }),
    store: memoryStore({ now: () => now }),
    pass: async (ms) => {
      now += ms
    },
  }
}

interface Options extends ExtractOptions {
  /** In the place of the local model's script, when it is asked what to remember. */
  readonly written?: Script
  readonly answer?: string
}

export const isExtraction: (request: Parameters<Script>[1]) => boolean = ({ tools }) =>
  tools.some(({ name }) => name === 'write_memories')

export const writing = (...memories: object[]) => ({ calls: [{ name: 'write_memories', arguments: { memories } }] })

export const scripted: Script = (said) => writing(...memoriesWritten(said.at(-1)?.content ?? ''))

export function extractingOver({ checkpointer, store, pass }: Storage, options: Options = {}) {
  const { written = scripted, answer = 'Noted.', ...extract } = options
  const model = scriptedModel((said, request) => (isExtraction(request) ? written(said, request) : answer))
  const app = agent().compile({ checkpointer, store, model, extract: extraction(extract), name: 'chat' })
  const say = async (text: string, thread = 't', person = 'alex', from?: string) => {
    const address = { tenant: 'acme', user: person, thread, ...(from !== undefined && { from }) }
    return app.run({ messages: user(text) }, address)
  }
  const sweeps = async () => (await sweep({ checkpointer, graphs: { chat: app }, store })).messages
  return {
    ...{ app, model, say, sweeps },
    /** It has been quiet for long enough. */
    quiet: async (ms = 30_000) => {
      await pass(ms)
      return sweeps()
    },
    asked: () => model.requests.filter(isExtraction).map(({ messages }) => messages.at(-1)?.content ?? ''),
    facts: async (person = 'alex') => {
      const { items } = await store.search({ tenant: 'acme', prefix: ['users', person], limit: 100, refresh: false })
      return items.map(({ text }) => text).toSorted()
    },
    items: async (person = 'alex') =>
      (await store.search({ tenant: 'acme', prefix: ['users', person], limit: 100, refresh: false })).items,
    log: async (thread = 't', person = 'alex') =>
      (await store.get({ tenant: 'acme', namespace: ['extractions', person], key: thread }))?.value,
  }
}
