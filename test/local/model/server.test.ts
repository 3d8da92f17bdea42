// The scripted model's answers as the official `openai` client sees them.
import type OpenAI from 'openai'
import type { ChatCompletionFunctionTool } from 'openai/resources'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { clientOf, model, refund, streamed, textOf, user, withServer } from './client.ts'

const lookup: ChatCompletionFunctionTool = {
  type: 'function',
  function: { name: 'lookup_order', parameters: { type: 'object', properties: { order: { type: 'string' } } } },
}

let server: StandIn
let client: OpenAI

beforeAll(async () => {
  server = await scriptedModel({ chunkDelayMs: 0 })
  client = clientOf(server)
})
afterAll(() => server.close())

function say(words: string) {
  return client.chat.completions.create({ model, messages: [user(words)] })
}

describe('a whole answer', () => {
  test('has the text, the reason and the estimated usage', async () => {
    const completion = await say('Hi')
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            content: '(scripted model) You said: Hi. This is message 1 of our conversation.',
            refusal: null,
          },
        },
      ],
      usage: { prompt_tokens: 10, completion_tokens: 18, total_tokens: 28 },
    })
    expect(completion.id).toMatch(/^chatcmpl-/)
  })

  test('carries tool calls instead of text', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [user('call refund with {"order":"A1","cents":1200}')],
      tools: [refund],
    })
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [{ type: 'function', function: { name: 'refund', arguments: '{"order":"A1","cents":1200}' } }],
      },
    })
  })

  test("the client's own tool loop runs to its end", async () => {
    const seen: object[] = []
    const runner = client.chat.completions.runTools({
      model,
      messages: [user('refund order A1 12.50')],
      tools: [
        {
          type: 'function',
          function: {
            name: 'refund',
            description: 'Refund an order.',
            parameters: {
              type: 'object',
              properties: { order: { type: 'string' }, cents: { type: 'integer' } },
              required: ['order', 'cents'],
            },
            parse: (text: string): object => JSON.parse(text),
            function: (input: object) => {
              seen.push(input)
              return 'refunded'
            },
          },
        },
      ],
    })
    expect(await runner.finalContent()).toBe('(scripted model) refund says: refunded')
    expect(seen).toEqual([{ order: 'A1', cents: 1250 }])
  })
})

describe('a streamed answer', () => {
  test('comes word by word: the role first, the reason last', async () => {
    const chunks = await streamed('echo one two  three', { client })
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: '(scripted' },
      { content: ' model)' },
      { content: ' one' },
      { content: ' two' },
      { content: '  three' },
      {},
    ])
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([...Array(6).fill(null), 'stop'])
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
  })

  test('ends with usage in a chunk of its own if that was asked for', async () => {
    const chunks = await streamed('Hi', { client, usage: true })
    const last = chunks.at(-1)
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 18, total_tokens: 28 } })
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('"count to 30" is thirty tokens', async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: [user('Hi'), { role: 'assistant', content: 'Hello' }, user('count to 30')],
    })
    let tokens = 0
    stream.on('content', () => {
      tokens++
    })
    expect(await stream.finalContent()).toBe(Array.from({ length: 30 }, (_, index) => index + 1).join(' '))
    expect(tokens).toBe(30)
  })

  test('"say nothing" is a role and a reason', async () => {
    const chunks = await streamed('say nothing', { client })
    expect(textOf(chunks)).toBe('')
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([null, 'stop'])
  })

  test('parallel tool calls are put together again from their pieces', async () => {
    const words = 'call refund {"order":"🙂 A1","cents":1200} and lookup_order {"order":"A1"}'
    const chunks = await streamed(words, { client, tools: [refund, lookup] })
    const deltas = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
    const joined = [0, 1].map((call) => {
      const own = deltas.filter(({ index }) => index === call)
      expect(own.length).toBeGreaterThan(2)
      expect(own.slice(1).some((delta) => delta.id !== undefined || delta.function?.name !== undefined)).toBe(false)
      expect(own[0]).toMatchObject({ id: expect.stringMatching(/^call_/), type: 'function' })
      return [own[0]?.function?.name, own.map((delta) => delta.function?.arguments).join('')]
    })
    expect(joined).toEqual([
      ['refund', '{"order":"🙂 A1","cents":1200}'],
      ['lookup_order', '{"order":"A1"}'],
    ])
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls')
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: null, refusal: null })
  })

  test('spends the time it was asked to spend, streamed or whole', async () => {
    for (const answer of [() => streamed('slow 200 a b c', { client }), () => say('slow 200 a b c')]) {
      const start = performance.now()
      await answer()
      // Timers may fire a millisecond early.
      expect(performance.now() - start).toBeGreaterThan(190)
    }
  })

  test('stops when the caller goes away', async () => {
    await withServer({ chunkDelayMs: 1 }, async (own) => {
      const stream = await clientOf(own).chat.completions.create({
        model,
        messages: [user('slow 60000 a b c')],
        stream: true,
      })
      for await (const _ of stream) break
      await expect.poll(() => own.log.length).toBe(1)
      expect(own.log[0]).toMatchObject({ path: '/v1/chat/completions', operations: ['chat'], status: 200 })
      // The role, and nothing of the text.
      expect(own.log[0]?.bytesOut).toBeLessThan(300)
    })
  })
})
