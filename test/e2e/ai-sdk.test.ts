// The published client of the AI SDK against the chat routes, over a real connection: `Chat` is what `useChat` works with.
import { Chat } from '@ai-sdk/react'
import { DefaultChatTransport, safeValidateUIMessages, type UIMessage } from 'ai'
import { afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { tool } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { chatApp, type Loopback, onLoopback, PromptedModel, tokenOf } from '../http/chat-app.ts'
import { until } from '../until.ts'

const open: Loopback[] = []

afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function house(parts: Parameters<typeof chatApp>[0]) {
  const server = await onLoopback(chatApp(parts).app)
  open.push(server)
  const headers = { authorization: `Bearer ${await tokenOf('alex')}` }
  const messages = async () => (await (await fetch(`${server.url}/chat/t/messages`, { headers })).json()) as UIMessage[]
  const page = (history: UIMessage[] = []) =>
    new Chat({
      id: 't',
      messages: history,
      transport: new DefaultChatTransport({ api: `${server.url}/chat`, headers }),
    })
  return { url: server.url, headers, messages, page }
}

function textOf(message: UIMessage | undefined): string {
  return message?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('') ?? ''
}

const weather = tool('weather', {
  description: 'The weather of a city.',
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, degrees: 21 }),
})

test('a conversation with a tool: the page and the thread hold the same messages', async () => {
  const model = scriptedModel((list) =>
    list.at(-1)?.role === 'user'
      ? { text: 'I look.', calls: [{ id: `c${list.length}`, name: 'weather', arguments: { city: 'Bergen' } }] }
      : `21 degrees after ${list.length} messages.`,
  )
  const { page, messages } = await house({ model, tools: [weather] })
  const chat = page()
  await chat.sendMessage({ text: 'The weather?' })
  await chat.sendMessage({ text: 'And now?' })
  expect(chat.error).toBeUndefined()
  expect(chat.status).toBe('ready')
  expect(textOf(chat.lastMessage)).toBe('I look.21 degrees after 7 messages.')
  const stored = await messages()
  expect(stored.map(({ id }) => id)).toEqual(chat.messages.map(({ id }) => id))
  expect(stored.map((message) => message.parts.map(({ type }) => type))).toEqual(
    chat.messages.map((message) => message.parts.map(({ type }) => type)),
  )
  expect(chat.lastMessage?.parts.find(({ type }) => type === 'tool-weather')).toMatchObject({
    state: 'output-available',
    input: { city: 'Bergen' },
    output: { city: 'Bergen', degrees: 21 },
  })
  expect(chat.lastMessage?.metadata).toMatchObject({ threadId: 't', checkpointId: '8', finishReason: 'stop' })
  expect((await safeValidateUIMessages({ messages: stored })).success).toBe(true)
})

test('a page that comes in mid-answer shows the thread and goes on with the answer from its beginning', async () => {
  const model = new PromptedModel()
  const { page, messages } = await house({ model })
  const first = page()
  const answered = first.sendMessage({ text: 'Tell me.' })
  model.say('Once ', 'upon ')
  await until(() => expect(textOf(first.lastMessage)).toBe('Once upon '))
  const second = page(await messages())
  expect(second.messages.map(textOf)).toEqual(['Tell me.'])
  const resumed = second.resumeStream()
  await until(() => expect(textOf(second.lastMessage)).toBe('Once upon '))
  model.say('a time.')
  model.finish()
  await Promise.all([answered, resumed])
  expect(second.messages.map(textOf)).toEqual(['Tell me.', 'Once upon a time.'])
  expect(second.messages.map(({ id }) => id)).toEqual(first.messages.map(({ id }) => id))
  expect([first.status, second.status]).toEqual(['ready', 'ready'])
})

test('resuming where nothing runs leaves the page ready, also in a thread that does not exist', async () => {
  const { page } = await house({ model: new PromptedModel() })
  const chat = page()
  await chat.resumeStream()
  expect({ status: chat.status, error: chat.error }).toEqual({ status: 'ready', error: undefined })
})

test('a page that is closed in mid-answer finds the whole answer when it comes back', async () => {
  const model = new PromptedModel()
  const { page, messages } = await house({ model })
  const chat = page()
  const answered = chat.sendMessage({ text: 'Tell me.' })
  model.say('Half')
  await until(() => expect(textOf(chat.lastMessage)).toBe('Half'))
  await chat.stop()
  await answered
  model.say(' and half.')
  model.finish()
  await until(async () => expect((await messages()).map(textOf)).toEqual(['Tell me.', 'Half and half.']))
})

test('stop, as a page does it: the stream is given up, the turn ends, and the next message is answered', async () => {
  const model = new PromptedModel()
  const { page, messages, url, headers } = await house({ model })
  const chat = page()
  const answered = chat.sendMessage({ text: 'Tell me.' })
  model.say('Half')
  await until(() => expect(textOf(chat.lastMessage)).toBe('Half'))
  await Promise.all([chat.stop(), fetch(`${url}/chat/t/stop`, { method: 'POST', headers })])
  await answered
  expect((await messages()).map(textOf)).toEqual(['Tell me.'])
  const again = chat.sendMessage({ text: 'Again.' })
  model.say('Whole.')
  model.finish()
  await again
  expect(textOf(chat.lastMessage)).toBe('Whole.')
})

test('a second page that writes meanwhile waits, and is answered when the first has been', async () => {
  const model = new PromptedModel()
  const { page } = await house({ model })
  const first = page()
  const answered = first.sendMessage({ text: 'One.' })
  model.say('One ')
  await until(() => expect(first.status).toBe('streaming'))
  const second = page()
  const later = second.sendMessage({ text: 'Two.' })
  model.say('Done.')
  model.finish()
  await answered
  expect(textOf(first.lastMessage)).toBe('One Done.')
  model.say('Now you.')
  model.finish()
  await later
  expect(textOf(second.lastMessage)).toBe('Now you.')
  expect(second.status).toBe('ready')
})

test('a model that breaks off leaves the page with an error, and the message can be sent again', async () => {
  let healthy = false
  const model = scriptedModel(() => (healthy ? 'Better.' : { text: 'I am', cutOff: true }))
  const { page, messages } = await house({ model })
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const chat = page()
  await chat.sendMessage({ text: 'Hi.' })
  expect(chat.status).toBe('error')
  expect(chat.error?.message).toContain('stopped in mid-answer')
  expect(chat.lastMessage?.metadata).toMatchObject({ errorCode: 'model_failed' })
  healthy = true
  chat.messages = await messages()
  await chat.sendMessage()
  expect(chat.messages.map(textOf)).toEqual(['Hi.', 'Better.'])
  expect((await messages()).map(textOf)).toEqual(['Hi.', 'Better.'])
  logged.mockRestore()
})
