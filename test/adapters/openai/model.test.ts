// The model adapter: the real client against the scripted service.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { checkOpenAi, openaiModel } from '../../../src/adapters/openai/index.ts'
import { agent, isRecollectError, type Message, type RecollectError, user } from '../../../src/index.ts'
import type { ModelPart } from '../../../src/ports/index.ts'

let service: StandIn

beforeAll(async () => {
  service = await scriptedModel({ apiKey: 'right', chunkDelayMs: 1 })
})
afterAll(() => service.close())

const modelOf = (change: { apiKey?: string; model?: string; baseUrl?: string } = {}) =>
  openaiModel({ apiKey: 'right', model: 'scripted-1', baseUrl: `${service.url}/v1`, retries: 0, ...change })

const weather = {
  name: 'weather',
  description: 'The weather.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}

async function partsOf(content: string, { model = modelOf(), signal = new AbortController().signal } = {}) {
  const messages: Message[] = [{ id: '1', role: 'user', content }]
  const parts: ModelPart[] = []
  for await (const part of model.stream({ messages, tools: [weather], signal })) parts.push(part)
  return parts
}

async function failureOf(work: Promise<unknown>): Promise<RecollectError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isRecollectError(error)) throw new Error(`Expected one of our errors, got ${String(error)}`)
  return error
}

describe('the openai model', () => {
  it('streams text and ends with the reason and the usage', async () => {
    const parts = await partsOf('count to 5')
    expect(parts.filter(({ type }) => type === 'text-delta').length).toBeGreaterThan(3)
    expect(parts.at(-1)).toMatchObject({
      type: 'finish',
      reason: 'stop',
      model: 'scripted-1',
      usage: { inputTokens: expect.any(Number) },
    })
  })

  it('streams tool calls with their arguments', async () => {
    const parts = await partsOf('use weather {"city":"Rome"}')
    const begun = parts.find((part) => part.type === 'tool-call-start')
    const text = parts.map((part) => (part.type === 'tool-call-delta' ? part.text : '')).join('')
    expect(begun).toMatchObject({ index: 0, name: 'weather' })
    expect(JSON.parse(text)).toEqual({ city: 'Rome' })
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'tool-calls' })
  })

  it.each([
    ['a service that fails', 'fail', 'model_failed'],
    ['a service that is too busy', 'rate limit me', 'model_failed'],
    ['a stream that is cut off', 'stop in the middle', 'model_failed'],
  ])('says that trying again can help, of %s', async (_what, content, code) => {
    const failure = await failureOf(partsOf(content))
    expect([failure.code, failure.retryable]).toEqual([code, true])
  })

  it('says that trying again cannot help, of a wrong key and a wrong model', async () => {
    expect((await failureOf(partsOf('hi', { model: modelOf({ apiKey: 'wrong' }) }))).message).toContain('API key')
    expect((await failureOf(partsOf('hi', { model: modelOf({ model: 'gpt-none' }) }))).message).toContain(
      'name of the model',
    )
  })

  it('says that the service is away', async () => {
    const failure = await failureOf(partsOf('hi', { model: modelOf({ baseUrl: 'http://127.0.0.1:1/v1' }) }))
    expect(failure.code).toBe('model_failed')
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    const parts = partsOf('slow 5000', { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 50)
    await expect(parts).rejects.toThrow('enough')
  })

  it('keeps nothing of an answer that was cut off, and the next one is right', async () => {
    const { memoryCheckpointer } = await import('../../../src/adapters/memory/index.ts')
    const app = agent().compile({ checkpointer: memoryCheckpointer(), model: modelOf() })
    const at = { tenant: 't', user: 'u', thread: 'x' }
    for (const broken of ['stop in the middle', 'end without a finish reason']) {
      expect((await failureOf(app.invoke({ messages: [user(broken)] }, at))).code).toBe('model_failed')
    }
    const { messages } = await app.invoke({ messages: [user('echo fine')] }, at)
    expect(messages.map(({ role }) => role)).toEqual(['user', 'user', 'user', 'assistant'])
  })

  it('answers calls that an earlier run left open, so that the conversation can go on', async () => {
    const messages: Message[] = [
      { id: '1', role: 'user', content: 'use weather {"city":"Rome"}' },
      { id: '2', role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'weather', arguments: '{}' }] },
      { id: '3', role: 'user', content: 'echo never mind' },
    ]
    const parts: ModelPart[] = []
    for await (const part of modelOf().stream({ messages, tools: [], signal: new AbortController().signal }))
      parts.push(part)
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  it('knows whether the service is up', async () => {
    await expect(
      checkOpenAi({ apiKey: 'right', model: 'scripted-1', baseUrl: `${service.url}/v1` }),
    ).resolves.toBeUndefined()
    const failure = await failureOf(checkOpenAi({ apiKey: 'wrong', model: 'scripted-1', baseUrl: `${service.url}/v1` }))
    expect(failure.code).toBe('model_refused')
  })
})
