// The usual agent with `recall`: what is remembered of a person goes before each answer, whether the model asks for it or not.
import { expect, test } from 'vitest'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import {
  agent,
  type CompiledGraph,
  type CompileOptions,
  extraction,
  forgetTool,
  recallNode,
  recallTool,
  rememberTool,
  user,
} from '../../src/index.ts'
import type { ModelRequest } from '../../src/ports/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'

const toldMemories = ({ messages }: ModelRequest) => messages.filter(({ content }) => content.startsWith('<memories>'))
const alex = { tenant: 'acme', user: 'alex' }

async function remembering() {
  const store = memoryStore()
  await store.put({ tenant: 'acme', namespace: ['users', 'alex'], key: 'tea', value: { text: 'Alex drinks tea' } })
  const model = scriptedModel(() => 'Tea, then.')
  return { store, model, checkpointer: memoryCheckpointer() }
}

test('a conversation begins with what is remembered of the person', async () => {
  const parts = await remembering()
  const app = agent({ recall: true }).compile(parts)
  await app.invoke({ messages: user('What do I drink: tea?') }, { ...alex, thread: 'new' })
  await app.invoke({ messages: user('What do I drink: tea?') }, { tenant: 'acme', user: 'bob', thread: 'of-bob' })
  const [first, second] = parts.model.requests.map(toldMemories)
  expect(first).toHaveLength(1)
  expect(first?.[0]?.content).toContain('Alex drinks tea')
  expect(second).toEqual([])
})

test('what a tool remembers is recalled in the next thread', async () => {
  const [store, checkpointer] = [memoryStore(), memoryCheckpointer()]
  const call = { name: 'remember', arguments: { text: 'Bob sails on Sundays' } }
  const model = scriptedModel((said) => (said.at(-1)?.content === 'remember it' ? { calls: [call] } : 'Noted.'))
  const app = agent({ tools: [rememberTool()], recall: true }).compile({ store, checkpointer, model })
  await app.invoke({ messages: user('remember it') }, { tenant: 'acme', user: 'bob', thread: 'first' })
  await app.invoke({ messages: user('When does Bob sail?') }, { tenant: 'acme', user: 'bob', thread: 'second' })
  expect(model.requests.at(-1)?.messages.map(({ content }) => content)).toEqual([
    expect.stringContaining('Bob sails on Sundays'),
    'When does Bob sail?',
  ])
})

test('the same text is one memory of a person, in whichever thread it is remembered: it keeps no other out', async () => {
  const { store, checkpointer } = await remembering()
  const call = { name: 'remember', arguments: { text: 'I drink tea' } }
  const model = scriptedModel((said) => (said.at(-1)?.role === 'tool' ? 'Noted.' : { calls: [call] }))
  const app = agent({ tools: [rememberTool({ namespace: ['team'] })] }).compile({ store, checkpointer, model })
  for (const [person, thread] of [
    ['alex', 'a'],
    ['alex', 'b'],
    ['bob', 'c'],
  ] as const) {
    await app.invoke({ messages: user('remember it') }, { tenant: 'acme', user: person, thread })
  }
  const { items } = await store.search({ tenant: 'acme', prefix: ['team'] })
  expect(items.map(({ author, version }) => [author, version])).toEqual([
    ['bob', 1],
    ['alex', 1],
  ])
})

test('a text that is remembered again takes the place of nothing that it has become since', async () => {
  const { store } = await remembering()
  const call = { name: 'remember', arguments: { text: 'I live in Oslo' } }
  const model = scriptedModel((said) => (said.at(-1)?.role === 'tool' ? 'Noted.' : { calls: [call] }))
  const app = agent({ tools: [rememberTool({ namespace: ['homes'] })] }).compile({ store, model })
  const remember = () => app.invoke({ messages: user('remember it') }, alex)
  await remember()
  const search = { tenant: 'acme', prefix: ['homes'] }
  const [first] = (await store.search(search)).items
  await store.put({
    tenant: 'acme',
    namespace: ['homes'],
    key: `${first?.key}`,
    value: { text: 'Lives in Bergen now' },
  })
  await remember()
  expect((await store.search(search)).items.map(({ text }) => text)).toEqual(['I live in Oslo', 'Lives in Bergen now'])
})

test('of nobody nothing is recalled', async () => {
  const { store, model } = await remembering()
  await agent({ recall: true })
    .compile({ store, model })
    .invoke({ messages: user('What do I drink: tea?') })
  expect(model.requests.map(toldMemories)).toEqual([[]])
})

test('another namespace is recalled from, where the graph says so', async () => {
  const { store, model, checkpointer } = await remembering()
  await store.put({ tenant: 'acme', namespace: ['handbook'], key: 'tea', value: { text: 'Tea is at four' } })
  const shared = { sharedNamespaces: [['handbook']] }
  const app = agent({ recall: { namespace: ['handbook'], limit: 1 } }).compile({
    store,
    model,
    checkpointer,
    ...shared,
  })
  await app.invoke({ messages: user('When is tea?') }, { ...alex, thread: 'new' })
  expect(model.requests.flatMap(toldMemories).map(({ content }) => content)).toEqual([
    expect.stringContaining('Tea is at four'),
  ])
})

test('with a summary, the model sees the same of the conversation, and memories beside it', async () => {
  const trim = { turns: 2, summary: true } as const
  const [plain, recalling] = await Promise.all([seenBy(agent({ trim })), seenBy(agent({ trim, recall: true }))])
  const isMemory = (content: string) => content.startsWith('<memories>')
  expect(recalling.filter((content) => !isMemory(content))).toEqual(plain)
  expect(recalling.filter(isMemory)).toHaveLength(6)
  expect(plain.join()).toContain('<summary>')
})

/** What the answering model saw in six turns, in a row. */
async function seenBy(graph: { compile(options: CompileOptions): Pick<CompiledGraph, 'run'> }) {
  const parts = await remembering()
  const app = graph.compile(parts)
  for (let turn = 0; turn < 6; turn++) {
    await app.run({ messages: user(`What do I drink: tea? ${turn}`) }, { ...alex, thread: 'long' })
  }
  return parts.model.requests.filter(isAnswer).flatMap(({ messages }) => messages.map(({ content }) => content))
}

/** What asks for a summary has instructions before it. */
const isAnswer = ({ messages }: ModelRequest) => messages[0]?.role !== 'system'

test('an agent that recalls does not compile without a store', async () => {
  const { model, checkpointer } = await remembering()
  expect(() => agent({ recall: true }).compile({ model, checkpointer })).toThrow('Node "recall" needs a store')
})

test('nor does one with a tool for memories', async () => {
  const { model, checkpointer } = await remembering()
  for (const tool of [rememberTool(), recallTool(), forgetTool()]) {
    const graph = agent({ tools: [tool] })
    expect(() => graph.compile({ model, checkpointer })).toThrow('Node "tools" needs a store')
  }
})

test('a namespace with {user} in a part of a segment is refused where it is written: it would be the same for everybody', () => {
  for (const namespace of [['u-{user}'], ['users', '{User}'], ['users', '{user}', '{thread}-notes']]) {
    for (const make of [rememberTool, recallTool, forgetTool, recallNode, extraction]) {
      expect(() => make({ namespace })).toThrow('whole segment')
    }
  }
  for (const make of [rememberTool, recallTool, forgetTool, recallNode, extraction]) {
    expect(() => make({ namespace: [] })).toThrow('A namespace must be')
  }
})

test('a tool for what is of a person says so where there is none', async () => {
  const { store } = await remembering()
  const call = { name: 'remember', arguments: { text: 'Tea is at four' } }
  const model = scriptedModel((said) => (said.at(-1)?.role === 'tool' ? 'So be it.' : { calls: [call] }))
  const state = await agent({ tools: [rememberTool()] })
    .compile({ store, model })
    .invoke({ messages: user('remember it') })
  expect(state.messages.find(({ role }) => role === 'tool')?.content).toContain('this run has no user')
})

test('what a graph recalls from where nobody may read is an error, and not silence', async () => {
  const { store, model, checkpointer } = await remembering()
  await store.put({ tenant: 'acme', namespace: ['prefs', 'alex'], key: 'tea', value: { text: 'Tea without milk' } })
  const app = agent({ recall: { namespace: ['prefs', '{user}'] } }).compile({ store, model, checkpointer })
  const asked = app.invoke({ messages: user('How do I take tea?') }, { ...alex, thread: 'new' })
  await expect(asked).rejects.toMatchObject({
    code: 'item_forbidden',
    message: expect.stringMatching(/\["prefs","alex"\].*below \["users", <user>\].*sharedNamespaces/),
  })
})
