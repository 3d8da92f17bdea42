// One process on the data of a case: it puts, deletes, forgets over HTTP, talks and sweeps; and what can be found, by every way.
import { memoriesWritten } from '../local/model/extraction.ts'
import { tokenFor } from '../local/secrets.ts'
import { serve } from '../src/http/index.ts'
import { agent, extraction, sweep, user } from '../src/index.ts'
import { boundMemory } from '../src/memory/memory.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { breaking } from './memory-break.ts'
import type { Data } from './memory-places.ts'
import type { Io } from './seam.ts'

export const person = 'alex'
export const namespace = ['users', person] as const
const auth = 'a secret of faults, of thirty-two bytes'

const model = scriptedModel((said, { tools }) =>
  tools.some(({ name }) => name === 'write_memories')
    ? {
        calls: [{ name: 'write_memories', arguments: { memories: memoriesWritten(said.at(-1)?.content ?? '') } }],
      }
    : 'Noted.',
)

export type Process = ReturnType<typeof processOn>

export function processOn(data: Data, tenant: string, io: Io = breaking().io) {
  const { checkpointer, store } = data.open(io)
  const chat = agent().compile({ checkpointer, store, model, extract: extraction(), name: 'chat' })
  const app = serve({ graphs: { chat }, checkpointer, store, auth: { secret: auth } })
  const deferred: Promise<unknown>[] = []
  const defer = (work: Promise<unknown>) => void deferred.push(work)
  /** The answer's text. Throws what is no success. */
  const ask = async (path: string, body?: object): Promise<string> => {
    const token = await tokenFor({ auth }, { tenant, user: person, scopes: ['chat', 'operate'] })
    const init = { headers: { authorization: `Bearer ${token}` } }
    const sent = body === undefined ? init : { ...init, method: 'POST', body: JSON.stringify(body) }
    const answer = await app.request(path, sent, {}, { waitUntil: defer, passThroughOnException() {}, props: {} })
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`)
    return answer.text()
  }
  return {
    store,
    put: (key: string, text: string, source = 'faults') =>
      store.put({ tenant, namespace, key, value: { text }, source, defer }),
    delete: (key: string) => store.delete({ tenant, namespace, key, defer }),
    forget: (what: object) => ask('/memories/forget', what),
    say: (text: string) => chat.run({ messages: user(text) }, { tenant, user: person, thread: 't', waitUntil: defer }),
    sweep: () => sweep({ checkpointer, graphs: { chat }, store }),
    ask,
    /** What was put off until after the answer, to its end. */
    settle: async () => {
      while (deferred.length > 0) await Promise.allSettled(deferred.splice(0))
    },
  }
}

/** All ways by which a memory can be found. */
export const everyWay = ['search', 'get', 'list', 'recall', 'export', 'history']

/** Those by which a process that knows nothing of the others finds a word; `key`: of the item that would have it. */
export async function waysTo(data: Data, tenant: string, { word, key }: { word: string; key: string }) {
  const { store, ask } = processOn(data, tenant)
  const memory = boundMemory({
    ...{ store, tenant, namespace, effects: {}, author: undefined, keyFor: (text: string) => text, recalled: () => {} },
  })
  const found: Record<string, unknown> = {
    search: await store.search({ tenant, prefix: namespace, query: word }),
    get: await store.get({ tenant, namespace, key }),
    list: await store.search({ tenant, prefix: [], limit: 100 }),
    recall: await memory.recall(word),
    export: await ask('/memories/export'),
    history: (await store.history({ tenant, namespace, key })).slice(0, 1),
  }
  return Object.entries(found).flatMap(([way, has]) => (JSON.stringify(has ?? null).includes(word) ? [way] : []))
}
