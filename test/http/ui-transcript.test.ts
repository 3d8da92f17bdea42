// A run's events as chunks: what a page sees while it streams is what it sees when it loads the thread.
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import type { UiChunk } from '../../src/http/ui-chunks.ts'
import { messagesOf, uiMessages } from '../../src/http/ui-messages.ts'
import { UiTranscript } from '../../src/http/ui-transcript.ts'
import {
  agent,
  assistant,
  type CompiledGraph,
  type CompileOptions,
  messages,
  RecollectError,
  type RunEvent,
  removeMessage,
  StateGraph,
  tool,
  user,
} from '../../src/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { expectReadable } from './ui-chunk-keys.ts'

const weather = tool('weather', {
  description: 'The weather of a city.',
  input: z.object({ city: z.string() }),
  run: ({ city }) => {
    if (city === 'Atlantis') throw new Error('no such city')
    return { city, degrees: 21 }
  },
})

const address = { tenant: 'acme', user: 'alex', thread: 't' }

async function eventsOf(app: CompiledGraph, text: string): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  try {
    for await (const event of app.stream({ messages: user(text) }, address)) events.push(event)
  } catch {
    // The last event says it.
  }
  return events
}

function chunksOf(events: readonly RunEvent[]): UiChunk[] {
  const transcript = new UiTranscript({ thread: 't', approvals: 'calls' })
  return events.flatMap((event) => transcript.chunksOf(event))
}

/** The message that the AI SDK makes of the chunks. */
async function seen(chunks: readonly UiChunk[]): Promise<UIMessage | undefined> {
  const stream = streamOf(chunks as readonly UIMessageChunk[])
  let latest: UIMessage | undefined
  for await (const message of readUIMessageStream({ stream })) latest = message
  return latest
}

async function loaded(app: CompiledGraph) {
  const { values } = await app.state(address)
  return uiMessages(messagesOf(values))
}

function compiled(graph: { compile(options: CompileOptions): CompiledGraph }, script: Script): CompiledGraph {
  return graph.compile({ checkpointer: memoryCheckpointer(), model: scriptedModel(script), deepFreeze: true })
}

function streamOf<Item>(items: readonly Item[]): ReadableStream<Item> {
  return new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item)
      controller.close()
    },
  })
}

/** What both know of a part: the client keeps more about how it came. */
function shown(message: { id: string; parts: readonly object[] } | undefined) {
  const parts = message?.parts.map((part) => {
    const { type, text, state, toolCallId, input, output, errorText, data } = part as Record<string, unknown>
    return JSON.parse(JSON.stringify({ type, text, state, toolCallId, input, output, errorText, data }))
  })
  return { id: message?.id, parts }
}

test('an answer with tools is the same message in the stream and in the thread', async () => {
  const app = compiled(agent({ tools: [weather] }), (list) =>
    list.at(-1)?.role === 'tool'
      ? 'It is 21 degrees, and Atlantis is gone.'
      : {
          text: 'Let me look.',
          calls: [
            { id: 'a', name: 'weather', arguments: { city: 'Bergen' } },
            { id: 'b', name: 'weather', arguments: { city: 'Atlantis' } },
            { id: 'c', name: 'wether', arguments: '{"city": "Oslo"' },
          ],
        },
  )
  const chunks = chunksOf(await eventsOf(app, 'Weather?'))
  expectReadable(chunks)
  const message = await seen(chunks)
  const [question, answer, ...more] = await loaded(app)
  expect(question).toMatchObject({ role: 'user', parts: [{ type: 'text', text: 'Weather?' }] })
  expect(shown(message)).toEqual(shown(answer))
  expect(more).toEqual([])
  expect(answer?.parts).toMatchObject([
    { type: 'step-start' },
    { type: 'text', text: 'Let me look.' },
    {
      type: 'tool-weather',
      state: 'output-available',
      input: { city: 'Bergen' },
      output: { city: 'Bergen', degrees: 21 },
    },
    { type: 'tool-weather', state: 'output-error', errorText: 'weather failed: no such city' },
    { type: 'tool-wether', state: 'output-error', input: '{"city": "Oslo"' },
    { type: 'step-start' },
    { type: 'text', text: 'It is 21 degrees, and Atlantis is gone.' },
  ])
  expect(message?.metadata).toEqual({ threadId: 't', runId: message?.id, checkpointId: '4', finishReason: 'stop' })
})

test('what a node says without a model is in the stream once it is in the thread', async () => {
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      greet: () => ({ messages: assistant('Welcome back.') }),
      reply: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
    },
    edges: { start: 'greet', greet: 'reply' },
  })
  const app = compiled(graph, () => 'And here I am.')
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expectReadable(chunks)
  const message = await seen(chunks)
  expect(shown(message)).toEqual(shown((await loaded(app)).at(-1)))
  expect(message?.parts.filter(({ type }) => type === 'text')).toMatchObject([
    { text: 'Welcome back.' },
    { text: 'And here I am.' },
  ])
})

test('a node that writes the whole conversation again says nothing twice', async () => {
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      reply: async (state, { model }) => ({ messages: [...state.messages, await model.reply(state.messages)] }),
    },
    edges: { start: 'reply' },
  })
  const app = compiled(graph, (list) => `Answer ${list.length}`)
  await eventsOf(app, 'One')
  const message = await seen(chunksOf(await eventsOf(app, 'Two')))
  expect(message?.parts.filter(({ type }) => type === 'text')).toMatchObject([{ text: 'Answer 3' }])
})

test('a node that copies the text of its reply into a message of its own is not repeated', async () => {
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      reply: async (state, { model }) => ({ messages: assistant((await model.reply(state.messages)).content) }),
    },
    edges: { start: 'reply' },
  })
  const chunks = chunksOf(
    await eventsOf(
      compiled(graph, () => 'Once.'),
      'Hi',
    ),
  )
  expect(chunks.filter(({ type }) => type === 'text-start')).toHaveLength(1)
  expect(chunks.filter(({ type }) => type === 'data-withdrawn')).toEqual([])
})

test('a retried node withdraws what the page saw of its first attempt', async () => {
  let attempt = 0
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      reply: {
        retry: { attempts: 2, delayMs: 1 },
        run: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
      },
    },
    edges: { start: 'reply' },
  })
  const app = compiled(graph, () => {
    attempt++
    return attempt === 1
      ? { text: 'Half an', calls: [{ id: 'x', name: 'weather', arguments: {} }], failure: new Error('line lost') }
      : 'Whole.'
  })
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expectReadable(chunks)
  const message = await seen(chunks)
  const withdrawn = message?.parts.find(({ type }) => type === 'data-withdrawn') as
    | { data: { parts: number[] } }
    | undefined
  const valid = message?.parts.filter((part, place) => part !== withdrawn && !withdrawn?.data.parts.includes(place))
  expect(valid).toMatchObject([{ type: 'step-start' }, { type: 'text', text: 'Whole.' }])
  expect(message?.parts.find(({ type }) => type === 'tool-weather')).toMatchObject({ state: 'output-error' })
})

test('a reply that becomes no message, or one that a later node removes, is withdrawn', async () => {
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      classify: async (state, { model }) => void (await model.reply(state.messages)),
      draft: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
      settle: (state) => ({ messages: [removeMessage(state.messages.at(-1)?.id ?? ''), assistant('Final.')] }),
    },
    edges: { start: 'classify', classify: 'draft', draft: 'settle' },
  })
  let said = 0
  const app = compiled(graph, () => ['small talk', 'A draft.'][said++] ?? '')
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expectReadable(chunks)
  const message = await seen(chunks)
  const withdrawn = chunks.flatMap((chunk) =>
    chunk.type === 'data-withdrawn' ? (chunk.data as { parts: number[] }).parts : [],
  )
  const texts = message?.parts.flatMap((part, place) =>
    part.type === 'text' ? [[part.text, withdrawn.includes(place)]] : [],
  )
  expect(texts).toEqual([
    ['small talk', true],
    ['A draft.', true],
    ['Final.', false],
  ])
})

test('parallel nodes speak in one step, each in a text of its own', async () => {
  const graph = new StateGraph({
    state: { messages: messages() },
    nodes: {
      one: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
      two: async (state, { model }) => ({ messages: await model.reply(state.messages) }),
    },
    edges: { start: ['one', 'two'] },
  })
  let said = 0
  const app = compiled(graph, async () => {
    said++
    await Promise.resolve()
    return said === 1 ? 'first voice speaks' : 'second voice speaks'
  })
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expectReadable(chunks)
  const message = await seen(chunks)
  expect(message?.parts.map(({ type }) => type)).toEqual(['step-start', 'text', 'text'])
  expect(shown(message)).toEqual(shown((await loaded(app)).at(-1)))
})

test('what a node emits is a data part, and what JSON has no word for is null', () => {
  const place = { step: 1, node: 'n' }
  const loop: Record<string, unknown> = {}
  loop.self = loop
  const chunks = chunksOf([
    { type: 'custom-emitted', name: 'progress', data: { done: 3 }, ...place },
    { type: 'custom-emitted', name: 'progress', data: loop, ...place },
    { type: 'custom-emitted', name: 'progress', data: undefined, ...place },
  ])
  expect(chunks).toEqual([
    { type: 'data-progress', data: { done: 3 } },
    { type: 'data-progress', data: null },
    { type: 'data-progress', data: null },
  ])
})

test('a failed run ends as an error with our words, never as finished', async () => {
  const app = compiled(agent(), () => ({ text: 'I was', cutOff: true }))
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expectReadable(chunks)
  expect(chunks.slice(-2)).toEqual([
    { type: 'message-metadata', messageMetadata: { errorCode: 'model_failed' } },
    { type: 'error', errorText: expect.stringContaining('stopped in mid-answer') },
  ])
})

test('the words of a foreign error do not reach the page', async () => {
  const app = compiled(agent(), () => {
    throw new Error('password=hunter2')
  })
  const chunks = chunksOf(await eventsOf(app, 'Hi'))
  expect(chunks.at(-1)).toMatchObject({ type: 'error' })
  expect(JSON.stringify(chunks)).not.toContain('hunter2')
})

test('a cancelled run ends as aborted', () => {
  const error = new RecollectError('run_cancelled', 'The run was cancelled.')
  expect(chunksOf([{ type: 'run-failed', run: 'r', error }])).toEqual([{ type: 'abort' }])
})

test('a result of a call that the page has not seen is not sent', () => {
  const write = { role: 'tool', toolCallId: 'older', name: 'weather', content: 'late', status: 'success' }
  const saved = { seq: 2, step: 1, values: {}, next: [], writes: [{ node: 'tools', update: { messages: [write] } }] }
  expect(chunksOf([{ type: 'checkpoint-saved', ...saved }])).toEqual([])
})

test('what is withdrawn of a run that goes on is named by its place in the message that the page has', () => {
  const place = { step: 3, node: 'model' }
  const continued = { run: 'r', step: 2, messages: [], parts: 4, answered: new Set<string>() }
  const transcript = new UiTranscript({ thread: 't', approvals: 'calls' }, continued)
  const events: RunEvent[] = [
    { type: 'text-delta', messageId: 'old', text: 'Seen.', step: 2, node: 'model' },
    { type: 'reply-started', messageId: 'm', ...place },
    { type: 'text-delta', messageId: 'm', text: 'Void.', ...place },
    { type: 'task-retried', attempt: 1, error: new RecollectError('model_failed', 'It broke off.'), ...place },
  ]
  const chunks = [...transcript.begin('r'), ...events.flatMap((event) => transcript.chunksOf(event))]
  expect(chunks.map(({ type }) => type)).toEqual([
    'start',
    'start-step',
    'text-start',
    'text-delta',
    'text-end',
    'data-withdrawn',
  ])
  expect(chunks.at(-1)).toEqual({ type: 'data-withdrawn', data: { parts: [5] } })
})
