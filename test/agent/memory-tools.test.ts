// The tools of memory: what a model remembers, recalls, cites and forgets by them, and what they refuse.
import { expect, test } from 'vitest'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import {
  agent,
  callsTools,
  citations,
  END,
  forgetTool,
  messages,
  recallTool,
  rememberTool,
  StateGraph,
  toolNode,
  user,
} from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { alex, promptOf } from '../runtime/recalling-graph.ts'

const callingTools = (tools: Parameters<typeof toolNode>[0]) =>
  new StateGraph({
    state: { messages: messages() },
    nodes: {
      reply: async (state, context) => ({ messages: await context.model.reply(state.messages, { tools }) }),
      tools: toolNode(tools),
    },
    edges: { start: 'reply', reply: (state) => (callsTools(state) ? 'tools' : END), tools: 'reply' },
  })

test('what a run has forgotten or said otherwise itself, its model is not told any more', async () => {
  const store = memoryStore()
  const place = { tenant: 'acme', namespace: ['users', 'alex'] }
  const { id } = await store.put({ ...place, key: 'home', value: { text: 'Alex lives in Paris' } })
  await store.put({ ...place, key: 'tool:work', value: { text: 'Alex works in Paris' } })
  const model = scriptedModel((said) => {
    if (said.at(-1)?.role === 'tool') return 'done'
    const text = 'Alex works in Rome'
    const remembers = { name: 'remember', arguments: { text, key: 'work' } }
    return { calls: [{ name: 'forget', arguments: { id } }, remembers] }
  })
  const app = agent({ recall: true, tools: [forgetTool(), rememberTool()] }).compile({
    ...{ checkpointer: memoryCheckpointer(), store, model },
  })
  await app.invoke({ messages: user('Paris?') }, { ...alex, thread: 't' })
  const [before = '', after = ''] = model.requests.map((request) => promptOf(request)[0])
  expect(before).toContain('lives in Paris')
  expect(before).toContain('works in Paris')
  expect(after).not.toContain('Paris')
  expect(after).toContain('works in Rome')
})

test('under a key a tool takes the place of what it remembered itself, and of nothing that an application keeps there', async () => {
  const store = memoryStore()
  const place = { tenant: 'acme', namespace: ['users', 'alex'] }
  await store.put({ ...place, key: 'plan', value: { text: 'Alex pays for the small plan' } })
  const texts = ['Alex pays for the large plan', 'Alex has the largest plan for free']
  const model = scriptedModel((said) => {
    const text = texts.shift()
    if (text === undefined) return `done after ${said.length}`
    return { calls: [{ name: 'remember', arguments: { text, key: 'plan' } }] }
  })
  const app = agent({ tools: [rememberTool()] }).compile({ checkpointer: memoryCheckpointer(), store, model })
  await app.invoke({ messages: user('Remember my plan.') }, { ...alex, thread: 't' })
  const { items } = await store.search({ tenant: 'acme', prefix: [] })
  expect(Object.fromEntries(items.map(({ key, text }) => [key, text]))).toEqual({
    plan: 'Alex pays for the small plan',
    'tool:plan': 'Alex has the largest plan for free',
  })
})

test('what an application keeps without a text is no memory, and is not forgotten as one', async () => {
  const store = memoryStore()
  const { id } = await store.put({
    tenant: 'acme',
    namespace: ['users', 'alex'],
    key: 'plan',
    value: { plan: 'small' },
    text: false,
  })
  const model = scriptedModel((said) =>
    said.at(-1)?.role === 'tool' ? `${said.at(-1)?.content}` : { calls: [{ name: 'forget', arguments: { id } }] },
  )
  const app = agent({ tools: [forgetTool()] }).compile({ checkpointer: memoryCheckpointer(), store, model })
  const { messages: said } = await app.invoke({ messages: user('Forget my plan.') }, { ...alex, thread: 't' })
  expect(said.at(-1)?.content).toBe(`There is no memory ${id}.`)
  expect((await store.search({ tenant: 'acme', prefix: [] })).items).toHaveLength(1)
})

test('tools remember, recall with ids, and forget; what is cited and was not recalled is told apart', async () => {
  const store = memoryStore()
  const tools = [rememberTool(), recallTool(), forgetTool()]
  let id = ''
  const model = scriptedModel((said) => {
    const last = said.at(-1)?.content ?? ''
    id = /\[([\w-]{24})\]/.exec(last)?.[1] ?? id
    if (said.length === 1) return { calls: [{ name: 'remember', arguments: { text: 'prefers tea', tags: ['taste'] } }] }
    if (last.startsWith('remembered as')) return { calls: [{ name: 'recall', arguments: { query: 'tea?' } }] }
    if (last.includes('<memories>')) return { calls: [{ name: 'forget', arguments: { id: `[${id}]` } }] }
    return `done [${id}] [${'x'.repeat(24)}]`
  })
  const app = callingTools(tools).compile({ checkpointer: memoryCheckpointer(), store, model })
  const { messages: said } = await app.invoke({ messages: user('I like tea') }, { ...alex, thread: 't' })
  const told = said.flatMap(({ role, content }) => (role === 'tool' ? [content] : []))
  expect(told).toEqual([
    expect.stringMatching(/^remembered as \[[\w-]{24}\]$/),
    expect.stringContaining(`<memory id="${id}" source="tool" author="alex"`),
    'forgotten',
  ])
  expect((await store.search({ tenant: 'acme', prefix: [] })).items).toEqual([])
  const answer = said.at(-1)?.content ?? ''
  expect(citations(answer, [{ id }])).toEqual({ cited: [id, 'x'.repeat(24)], unknown: ['x'.repeat(24)] })
})

test('ids that are cited together are told apart, and none that was not recalled passes for one', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(24))
  const memories = [{ id: `${a}` }]
  for (const text of [`[${a}, ${b}]`, `[${a}; ${b}]`, `[${a} ${b}]`, `[${a}][${b}]`, `[id: ${a}, id: ${b}]`]) {
    expect(citations(text, memories)).toEqual({ cited: [a, b], unknown: [b] })
  }
  expect(citations(`${c} and [see below] and [${c}d]`, memories)).toEqual({ cited: [], unknown: [] })
})

test('hostile arguments of memory tools are answered with what is expected, and end no run', async () => {
  const tools = [rememberTool(), recallTool(), forgetTool()]
  const calls = [
    { name: 'remember', arguments: {} },
    { name: 'remember', arguments: { text: '' } },
    { name: 'remember', arguments: { text: 'x'.repeat(2_001) } },
    { name: 'remember', arguments: { text: 'tea', tags: 'taste' } },
    { name: 'recall', arguments: { query: 'tea', limit: 0 } },
    { name: 'forget', arguments: { id: '\u0000' } },
    { name: 'forget', arguments: { id: '\ud800' } },
  ]
  const model = scriptedModel((said) => (said.length === 1 ? { calls } : 'done'))
  const app = callingTools(tools).compile({ checkpointer: memoryCheckpointer(), store: memoryStore(), model })
  const { messages: said } = await app.invoke({ messages: user('go on') }, { ...alex, thread: 't' })
  expect(
    said.flatMap(({ role, content }) => (role === 'tool' ? [content.replace(/^.* not valid: /, '')] : [])),
  ).toEqual([
    'text: must be of the type string',
    'text: must be 1 characters or more',
    'text: must be 2000 characters or less',
    'tags: must be of the type array',
    'limit: must be 1 or more',
    expect.stringMatching(/^There is no memory/),
    expect.stringMatching(/^There is no memory/),
  ])
})

test('a model that would remember a secret is told that it is not kept, whatever part it is in', async () => {
  const store = memoryStore()
  const secrets: readonly Record<string, unknown>[] = [
    { text: 'the password is hunter2' },
    { text: 'likes tea', key: 'sk-abcdefghijklmnopqrstuv' },
    { text: 'likes tea', tags: ['taste', '4111 1111 1111 1111'] },
  ]
  const tools = [rememberTool()]
  const model = scriptedModel((said) =>
    said.length === 1 ? { calls: secrets.map((given) => ({ name: 'remember', arguments: given })) } : 'done',
  )
  const app = agent({ tools }).compile({ checkpointer: memoryCheckpointer(), store, model })
  const { messages: said } = await app.invoke({ messages: user('keep this') }, { ...alex, thread: 't' })
  const told = said.flatMap((message) => (message.role === 'tool' ? [[message.status, message.content]] : []))
  expect(told).toEqual(
    ['a password', 'a key', 'a card number'].map((what) => [
      'error',
      `Not remembered: this looks like ${what}, and secrets are never kept. Leave it out, or remember nothing of it.`,
    ]),
  )
  expect((await store.search({ tenant: 'acme', prefix: [] })).items).toEqual([])
})

test('another person’s memory is not forgotten by its id', async () => {
  const store = memoryStore()
  const bob = { tenant: 'acme', namespace: ['users', 'bob'], key: 'k' }
  const { id } = await store.put({ ...bob, value: { text: 'of bob' } })
  const tools = [forgetTool()]
  const model = scriptedModel((said) =>
    said.length === 1 ? { calls: [{ name: 'forget', arguments: { id } }] } : 'done',
  )
  const app = callingTools(tools).compile({ checkpointer: memoryCheckpointer(), store, model })
  const { messages: said } = await app.invoke({ messages: user('forget it') }, { ...alex, thread: 't' })
  expect(said.find(({ role }) => role === 'tool')?.content).toMatch(/^There is no memory/)
  expect(await store.get(bob)).toBeDefined()
})
