// The parts that lean on the runtime, in workerd: hashing, sealing, base64, timers, a graph with its memory.
import { describe, expect, it } from 'vitest'
import { memoryCache, memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { sealFor } from '../../src/adapters/upstash/seal.ts'
import { agent, isRecollectError, last, StateGraph, user } from '../../src/index.ts'
import { base64Of, bytesOf } from '../../src/kernel/base64.ts'
import { hashOf } from '../../src/kernel/hash.ts'
import { decode, encode } from '../../src/kernel/json.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import worker from '../../workers/index.ts'

const at = { tenant: 'acme', user: 'alex', thread: 'first' }

describe('in workerd', () => {
  it('hashes as everywhere else', () => {
    expect(hashOf('a', 'bc')).toBe('UxClh4h4GrJdWtfD-FA1gktO')
  })

  it('carries bytes through the codec', () => {
    const bytes = crypto.getRandomValues(new Uint8Array(1_000))
    expect(bytesOf(base64Of(bytes))).toEqual(bytes)
    expect(decode(encode({ bytes, at: new Date(5) }))).toEqual({ bytes, at: new Date(5) })
  })

  it('opens what it has sealed, and nothing that was moved or changed', async () => {
    const options = { secret: 's'.repeat(32), database: 'host/db', url: '', token: '' }
    const at = { tenant: 'acme', thread: 'first', owner: 'alex' }
    const seal = await sealFor(options, at, 'cache')
    const others = await Promise.all([
      sealFor(options, { ...at, thread: 'second' }, 'cache'),
      sealFor(options, at, 'events'),
      sealFor({ ...options, database: 'host/other' }, at, 'cache'),
    ])
    const text = 'Grüße \u0000 😀'
    const body = (await seal.close('7.abc.', text)).slice('7.abc.'.length)
    expect(await seal.open('7.abc.', body)).toEqual(text)
    expect(await seal.open('8.abc.', body)).toBeUndefined()
    expect(await seal.open('7.abc.', `${body.slice(0, -6)}AAAAAA`)).toBeUndefined()
    for (const other of others) expect(await other.open('7.abc.', body)).toBeUndefined()
    expect(new Set([seal, ...others].map(({ name }) => name)).size).toBe(4)
  })

  it('remembers a thread', async () => {
    const model = scriptedModel((messages) => `${messages.length} messages`)
    const app = agent().compile({ checkpointer: memoryCheckpointer(), cache: memoryCache(), model })
    await app.invoke({ messages: [user('one')] }, at)
    const { messages } = await app.invoke({ messages: [user('two')] }, at)
    expect(messages.map(({ content }) => content)).toEqual(['one', '1 messages', 'two', '3 messages'])
  })

  it('ends a node that never does', async () => {
    const graph = new StateGraph({
      state: { count: last(0) },
      nodes: { stuck: { timeoutMs: 20, run: () => new Promise<{ count: number }>(() => {}) } },
      edges: { start: 'stuck' },
    })
    const failure = await graph
      .compile()
      .invoke({})
      .catch((error: unknown) => error)
    expect(isRecollectError(failure) && failure.code).toBe('node_timeout')
  })

  it('answers 503 and names every missing setting, in a Worker that is not set up', async () => {
    const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }
    const response = await worker.fetch(new Request('https://worker.example/ok'), {}, context)
    expect(response.status).toBe(503)
    const problem: { code: string; detail: string } = await response.json()
    expect(problem.code).toBe('environment_invalid')
    for (const name of ['DATABASE_URL', 'OPENAI_API_KEY', 'AUTH_SECRET']) expect(problem.detail).toContain(name)
  })
})
