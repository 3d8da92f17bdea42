// What the scripted model refuses, in OpenAI's error shape.
import type OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { clientOf, errorOf, model, post, refund, user, withServer } from './client.ts'

let server: StandIn
let client: OpenAI

beforeAll(async () => {
  server = await scriptedModel({ chunkDelayMs: 0 })
  client = clientOf(server)
})
afterAll(() => server.close())

describe('refusals', () => {
  test('a wrong key is refused where a key is set, and is not repeated', async () => {
    await withServer({ apiKey: 'right' }, async (own) => {
      const error = await errorOf(clientOf(own, 'wrong-key').models.list())
      expect(error).toMatchObject({ status: 401, type: 'invalid_request_error', code: 'invalid_api_key' })
      expect(JSON.stringify(error.error)).not.toContain('wrong-key')
      expect((await clientOf(own, 'right').models.list()).data).toHaveLength(2)
    })
  })

  test('an unknown model is a 404', async () => {
    const chat = client.chat.completions.create({ model: 'other', messages: [user('Hi')] })
    expect(await errorOf(chat)).toMatchObject({ status: 404, code: 'model_not_found' })
    const embedding = client.embeddings.create({ model, input: 'Hi' })
    expect(await errorOf(embedding)).toMatchObject({ status: 404, code: 'model_not_found' })
    expect(await errorOf(client.models.retrieve('other'))).toMatchObject({ status: 404, code: 'model_not_found' })
  })

  test('an unknown route is a 404 that names it', async () => {
    expect(await post(server, '/responses', {})).toMatchObject({
      status: 404,
      body: { error: { message: 'There is no route POST /v1/responses.', code: 'unknown_url', param: null } },
    })
  })

  const messages = [user('Hi')]
  const call = { id: 'call_1', type: 'function', function: { name: 'refund', arguments: '{}' } }
  const result = { role: 'tool', tool_call_id: 'call_1', content: 'refunded' }
  const calling = { role: 'assistant', content: null, tool_calls: [call] }
  test.each([
    ['no messages', { model }, 'messages'],
    ['an empty list of messages', { model, messages: [] }, 'messages'],
    ['an unknown role', { model, messages: [{ role: 'robot', content: 'Hi' }] }, 'messages[0].role'],
    ['a message without content', { model, messages: [...messages, { role: 'user' }] }, 'messages[1].content'],
    ['an assistant that says and calls nothing', { model, messages: [{ role: 'assistant' }] }, 'messages[0].content'],
    ['an empty list of calls', { model, messages: [{ ...calling, tool_calls: [] }] }, 'messages[0].tool_calls'],
    ['a result without a call', { model, messages: [{ role: 'tool', content: '', tool_call_id: 'x' }] }, 'messages'],
    ['a call without a result at the end', { model, messages: [...messages, calling] }, 'messages'],
    ['a result that comes after more talk', { model, messages: [calling, ...messages, result] }, 'messages'],
    ['more than one choice', { model, messages, n: 2 }, 'n'],
    ['a stream that is no boolean', { model, messages, stream: 'yes' }, 'stream'],
    ['stream options without a stream', { model, messages, stream_options: {} }, 'stream_options'],
    [
      'a tool with a bad name',
      { model, messages, tools: [{ type: 'function', function: { name: 'a b' } }] },
      'tools[0].function.name',
    ],
    ['a choice without tools', { model, messages, tool_choice: 'auto' }, 'tool_choice'],
    ['parallel calls without tools', { model, messages, parallel_tool_calls: true }, 'parallel_tool_calls'],
    [
      'a choice of a tool that is not offered',
      { model, messages, tools: [refund], tool_choice: { type: 'function', function: { name: 'foo' } } },
      'tool_choice',
    ],
  ])('%s is a 400 that names the field', async (_, body, param) => {
    expect(await post(server, '/chat/completions', body)).toMatchObject({
      status: 400,
      body: { error: { type: 'invalid_request_error', param, message: expect.stringContaining(param) } },
    })
  })

  test.each(['{', '[]', 'null'])('the body %s is a 400', async (body) => {
    expect(await post(server, '/chat/completions', body)).toMatchObject({
      status: 400,
      body: { error: { param: null } },
    })
  })

  test('refusals are in the log with what was tried', async () => {
    await post(server, '/embeddings', { model })
    expect(server.log.at(-1)).toMatchObject({ operations: ['embeddings'], status: 400 })
  })
})
