// The trouble that the scripted model makes when asked, as the official `openai` client sees it.
import { APIConnectionTimeoutError, type OpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scriptedModel } from '../../../local/model/server.ts'
import type { StandIn } from '../../../local/stand-in.ts'
import { clientOf, errorOf, model, streamed, textOf, user, withServer } from './client.ts'

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

describe('trouble on request', () => {
  test('"fail" is a 500', async () => {
    const error = await errorOf(say('fail'))
    expect(error).toMatchObject({ status: 500, type: 'server_error' })
  })

  test('"rate limit me" is a 429 that says when to come back', async () => {
    const error = await errorOf(streamed('rate limit me', { client }))
    expect(error).toMatchObject({ status: 429, type: 'requests', code: 'rate_limit_exceeded' })
    expect(error.headers?.get('retry-after')).toBe('1')
  })

  test('"stop in the middle" cuts the connection after some of the words', async () => {
    const seen: string[] = []
    const stream = await client.chat.completions.create({ model, messages: [user('stop in the middle')], stream: true })
    const reading = (async () => {
      for await (const chunk of stream) seen.push(chunk.choices[0]?.delta.content ?? '')
    })()
    await expect(reading).rejects.toThrow()
    expect(seen.join('')).toBe('(scripted model) This answer is cut off')
    await expect(say('stop in the middle')).rejects.toThrow()
  })

  test('"end without a finish reason" ends well but says no reason', async () => {
    const chunks = await streamed('end without a finish reason', { client, usage: true })
    expect(textOf(chunks)).toBe('(scripted model) This answer ends without saying why, as you asked.')
    expect(chunks.some((chunk) => chunk.choices[0]?.finish_reason || chunk.usage)).toBe(false)
    const raw = async (words: string) => {
      const body = JSON.stringify({ model, messages: [user(words)], stream: true })
      return (await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body })).text()
    }
    expect(await raw('end without a finish reason')).not.toContain('[DONE]')
    expect(await raw('Hi')).toMatch(/\n\ndata: \[DONE\]\n\n$/)
  })

  test('"hang" never answers, and lets go when the caller does', async () => {
    await withServer({}, async (own) => {
      const client = clientOf(own)
      const hangs = () =>
        client.chat.completions.create({ model, messages: [user('hang')] }, { timeout: 100, maxRetries: 0 })
      // Whoever lets go before the question has arrived was never heard of: asked until one was.
      while (own.log.length === 0) await expect(hangs()).rejects.toBeInstanceOf(APIConnectionTimeoutError)
      await expect.poll(() => own.log.at(-1)?.status).toBe(499)
    })
  })

  test('the knobs of every stand-in work here too', async () => {
    await withServer({ knobs: { fault: 'error' } }, async (own) => {
      const hi = () => clientOf(own).chat.completions.create({ model, messages: [user('Hi')] })
      expect(await errorOf(hi())).toMatchObject({ status: 500 })
      own.knobs.fault = 'none'
      expect((await hi()).choices).toHaveLength(1)
    })
  })
})
