// The example graph gives equal states and history in memory and on Neon with Upstash, both by their published clients.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stack, stack } from '../bench/stack.ts'
import { memoryCache, memoryCheckpointer, memoryStore } from '../src/adapters/memory/index.ts'
import { openaiModel } from '../src/adapters/openai/index.ts'
import { type CompiledGraph, user } from '../src/index.ts'
import { support } from '../workers/support.ts'

const at = { tenant: 'acme', user: 'alex', thread: 'first' }
const said = [
  'my name is Ada',
  'where is order A1?',
  'call refund with {"order":"B7","cents":1200}',
  'call refund with {"order":"A2","cents":48000}',
  'call refund with bad json',
  'fail',
  `echo ${'x'.repeat(20_000)}`,
  'what is my name?',
]

let running: Stack
beforeAll(async () => {
  running = await stack()
})
afterAll(() => running?.close())

/** Runs have ids of our choosing, so that message ids are equal too. What is asked is approved. */
async function conversation(app: CompiledGraph) {
  const outcomes: string[] = []
  for (const [index, content] of said.entries()) {
    const answered = async () => {
      const { status, interrupts } = await app.run({ messages: [user(content)] }, { ...at, run: `turn-${index}` })
      const answers = interrupts.map(({ id }) => [id, { decision: 'approve' }])
      if (answers.length > 0) await app.resume(Object.fromEntries(answers), at)
      return status
    }
    outcomes.push(await answered().catch(({ code }: { code: string }) => code))
  }
  const history = await app.history(at, { limit: 100 })
  return { outcomes, history: history.map(({ createdAt: _, ...checkpoint }) => checkpoint) }
}

test('the support desk says, stores and remembers the same everywhere', async () => {
  const { settings, graphs, taken } = running
  const model = openaiModel({
    apiKey: 'none',
    model: settings.OPENAI_MODEL,
    baseUrl: settings.OPENAI_BASE_URL,
    retries: 0,
  })
  const storage = { checkpointer: memoryCheckpointer(), cache: memoryCache(), store: memoryStore() }
  const inMemory = support.compile({ ...storage, model, name: 'support' })
  const local = await conversation(inMemory)
  taken()
  const remote = await conversation(graphs.support ?? expect.unreachable())
  const { postgres, redis } = taken()

  expect(local.outcomes.filter((outcome) => outcome !== 'success')).toEqual(['interrupted', 'model_failed'])
  expect(JSON.stringify(local.history[0])).toContain('refunded\\":48000')
  expect(local.history.length).toBeGreaterThan(20)
  expect(JSON.stringify(local.history[0])).toContain('Your name is Ada')
  expect(remote).toEqual(local)
  expect(postgres.flatMap(({ operations }) => operations)).toContain('commit_step_v2')
  expect(redis.flatMap(({ operations }) => operations)).toContain('EVALSHA')
})
