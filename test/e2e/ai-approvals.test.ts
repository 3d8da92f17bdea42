// Approvals with published clients of the AI SDK, over a real connection: asked, approved, denied, met again after a reload,
// and decided elsewhere while the page is open.
import { safeValidateUIMessages as validated7 } from 'ai'
import { safeValidateUIMessages as validated6 } from 'ai6'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { tool } from '../../src/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'
import { chatApp, type Loopback, onLoopback, PromptedModel, tokenOf } from '../http/chat-app.ts'
import { until } from '../until.ts'
import {
  type Message,
  type Page,
  type PageOptions,
  type Part,
  withApprovals,
  withoutApprovals,
} from './chat-clients.ts'

const open: Loopback[] = []

afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const refunds: Script = (list) =>
  list.at(-1)?.role === 'tool'
    ? `Then: ${list.at(-1)?.content}`
    : { text: 'I refund it.', calls: [{ id: 'c1', name: 'refund', arguments: { order: 'A1', cents: 900 } }] }

const severalCalls: Script = (list) =>
  list.at(-1)?.role === 'tool'
    ? 'Both are done.'
    : {
        calls: [
          { id: 'c1', name: 'refund', arguments: { order: 'A1', cents: 1 } },
          { id: 'c2', name: 'refund', arguments: { order: 'A2', cents: 2 } },
          { id: 'c3', name: 'look', arguments: { order: 'A3' } },
        ],
      }

interface HouseParts {
  readonly model?: Parameters<typeof chatApp>[0]['model']
  readonly answerer?: 'owner' | 'approver'
  readonly query?: string
}

async function house({ model = scriptedModel(refunds), answerer = 'owner', query = '' }: HouseParts = {}) {
  const runs: unknown[] = []
  const refund = tool('refund', {
    description: 'Refund an order.',
    input: z.object({ order: z.string(), cents: z.number() }),
    approval: { answerer },
    run: (input) => {
      runs.push(input)
      return { refunded: input.cents }
    },
  })
  const look = tool('look', {
    description: 'Look at an order.',
    input: z.object({ order: z.string() }),
    run: ({ order }) => ({ order }),
  })
  const server = await onLoopback(chatApp({ model, tools: [refund, look] }).app)
  open.push(server)
  const headers = { authorization: `Bearer ${await tokenOf('alex')}` }
  const messages = async () => {
    return (await (await fetch(`${server.url}/chat/t/messages${query}`, { headers })).json()) as Message[]
  }
  /** By somebody else, over the API. */
  const answer = async (id: string, decision: object) => {
    const by = { authorization: `Bearer ${await tokenOf('boss', { scope: 'approve' })}` }
    const sent = { method: 'POST', headers: by, body: JSON.stringify({ answer: decision }) }
    return (await fetch(`${server.url}/approvals/${id}`, sent)).status
  }
  const options = (history: readonly Message[] = []): PageOptions => ({ api: `${server.url}/chat`, headers, history })
  return { url: server.url, headers, messages, answer, options, runs }
}

const textOf = (message: Message | undefined) => message?.parts.map(({ text = '' }) => text).join('') ?? ''

function callsOf(page: Pick<Page, 'messages'>): Part[] {
  return page.messages.flatMap(({ parts }) => parts.filter(({ type }) => type.startsWith('tool-')))
}

function waitingOf(page: Pick<Page, 'messages'>): string {
  return callsOf(page).find(({ state }) => state === 'approval-requested')?.approval?.id ?? ''
}

/** At rest again, whatever it sends by itself in between. */
async function settled(page: Page, text: string): Promise<void> {
  await until(() => expect([page.status, textOf(page.messages.at(-1))]).toEqual(['ready', text]))
}

const types = (messages: readonly Message[]) => messages.map(({ id, parts }) => [id, parts.map(({ type }) => type)])

describe.each(Object.entries(withApprovals))('ai %s', (version, make) => {
  async function asked(parts: HouseParts = {}) {
    const home = await house(parts)
    const page = make(home.options())
    await page.sendMessage({ text: 'Refund A1.' })
    expect({ status: page.status, error: page.error }).toEqual({ status: 'ready', error: undefined })
    return { ...home, page, id: waitingOf(page) }
  }

  test('asked and approved: the client sends it by itself, and the same message goes on', async () => {
    const { page, id, runs, messages } = await asked()
    expect(callsOf(page)).toMatchObject([{ state: 'approval-requested', input: { order: 'A1', cents: 900 } }])
    expect(runs).toEqual([])
    await page.decide?.({ id, approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(callsOf(page)).toMatchObject([{ state: 'output-available', output: { refunded: 900 } }])
    expect(runs).toHaveLength(1)
    expect(types(await messages())).toEqual(types(page.messages))
  })

  test('denied with a reason: nothing runs, and the model reads it', async () => {
    const { page, id, runs, messages } = await asked()
    await page.decide?.({ id, approved: false, reason: 'too late' })
    await settled(page, 'I refund it.Then: A person was asked and did not approve refund: too late')
    const denied = { state: 'output-denied', approval: { id, approved: false, reason: 'too late' } }
    expect(callsOf(page)).toMatchObject([denied])
    expect(callsOf({ messages: await messages() })).toMatchObject([denied])
    expect(runs).toEqual([])
  })

  test('a page that is loaded while it waits has the question, and decides', async () => {
    const { id, runs, messages, options } = await asked()
    const stored = await messages()
    const page = make(options(stored))
    expect(waitingOf(page)).toBe(id)
    await page.decide?.({ id, approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(types(await messages())).toEqual(types(page.messages))
    expect(runs).toHaveLength(1)
  })

  test('a page that is loaded without the answer hears it from its beginning, and decides', async () => {
    const { id, runs, messages, options } = await asked()
    const page = make(options((await messages()).filter(({ role }) => role === 'user')))
    await page.resumeStream()
    await settled(page, 'I refund it.')
    expect(waitingOf(page)).toBe(id)
    await page.decide?.({ id, approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(types(await messages())).toEqual(types(page.messages))
    expect(runs).toHaveLength(1)
  })

  const doubles = version.endsWith('.0.0')
  const both = 'a page may load the question and hear it again'
  test.skipIf(doubles)(doubles ? `${both} (skipped: it puts a replay beside what it has)` : both, async () => {
    const { id, runs, messages, options } = await asked()
    const page = make(options(await messages()))
    await page.resumeStream()
    await settled(page, 'I refund it.')
    expect(types(page.messages)).toEqual(types(await messages()))
    await page.decide?.({ id, approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(runs).toHaveLength(1)
  })

  test('approved elsewhere while the page is open: it hears the answer go on', async () => {
    const model = new PromptedModel()
    model.call('c1', 'refund', { order: 'A1', cents: 900 })
    const { id, page, runs, messages, answer } = await asked({ model, answerer: 'approver' })
    expect(await answer(id, { decision: 'approve' })).toBe(200)
    page.messages = await messages()
    expect(page.messages.map(({ role }) => role)).toEqual(['user'])
    const hearing = page.resumeStream()
    await until(() => expect(callsOf(page)).toMatchObject([{ state: 'output-available' }]))
    model.say('Refunded.')
    model.finish()
    await hearing
    expect(textOf(page.messages.at(-1))).toBe('Refunded.')
    expect(types(await messages())).toEqual(types(page.messages))
    expect(runs).toHaveLength(1)
  })

  test('several calls: nothing is sent before all are decided, and none runs before', async () => {
    const { page, runs, messages } = await asked({ model: scriptedModel(severalCalls) })
    const ids = callsOf(page).flatMap(({ approval }) => (approval === undefined ? [] : [approval.id]))
    expect(ids).toHaveLength(2)
    await page.decide?.({ id: ids[0] ?? '', approved: true })
    await page.decide?.({ id: ids[1] ?? '', approved: false })
    await settled(page, 'Both are done.')
    expect(callsOf(page).map(({ state }) => state)).toEqual(['output-available', 'output-denied', 'output-available'])
    expect(types(await messages())).toEqual(types(page.messages))
    expect(runs).toEqual([{ order: 'A1', cents: 1 }])
  })

  test('who may not decide is told so, and it still waits', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => logged.mockRestore())
    const { page, id, runs, messages } = await asked({ answerer: 'approver' })
    await page.decide?.({ id, approved: true })
    await until(() => expect(page.status).toBe('error'))
    expect(page.error?.message).toContain('approval_forbidden')
    expect(callsOf({ messages: await messages() })).toMatchObject([{ state: 'approval-requested', approval: { id } }])
    expect(runs).toEqual([])
  })

  test('stopped while it waits: the next message is answered', async () => {
    const { page, url, headers, messages, runs } = await asked()
    expect((await fetch(`${url}/chat/t/stop`, { method: 'POST', headers })).status).toBe(204)
    page.messages = await messages()
    expect(callsOf(page)).toMatchObject([{ state: 'output-error' }])
    await page.sendMessage({ text: 'Again.' })
    expect(callsOf(page).at(-1)).toMatchObject({ state: 'approval-requested' })
    expect(runs).toEqual([])
  })
})

test('the stored messages of a thread that waits, and of one that was denied, are messages of ai 6 and 7', async () => {
  const { options, messages } = await house()
  const page = withApprovals['7']?.(options()) ?? expect.unreachable()
  const valid = async () => {
    const stored = await messages()
    const results = [await validated6({ messages: stored }), await validated7({ messages: stored })]
    expect(results.map(({ success }) => success)).toEqual([true, true])
  }
  await page.sendMessage({ text: 'Refund A1.' })
  await valid()
  await page.decide?.({ id: waitingOf(page), approved: false })
  await settled(page, 'I refund it.Then: A person was asked and did not approve refund.')
  await valid()
})

test('the same bytes make the same messages in every version that knows approvals', async () => {
  const bodies: string[] = []
  const { options } = await house({ model: scriptedModel(severalCalls) })
  const recording: typeof fetch = async (...request) => {
    const response = await fetch(...request)
    bodies.push(await response.clone().text())
    return response
  }
  const first = withApprovals['7']?.({ ...options(), fetch: recording }) ?? expect.unreachable()
  await decideBoth(first)
  const [asking = '', answering = ''] = bodies
  expect(bodies).toHaveLength(2)
  expect(asking).toContain('tool-approval-request')
  expect(answering).toContain('tool-output-denied')
  for (const make of Object.values(withApprovals)) {
    const replies = [asking, answering]
    const replaying: typeof fetch = async () => new Response(replies.shift() ?? expect.unreachable())
    const page = make({ ...options(), fetch: replaying })
    await decideBoth(page)
    const shown = ({ messages }: Page) =>
      messages
        .slice(1)
        .map(({ id, parts }) => [id, parts.map(({ type, state, text, output }) => [type, state, text, output])])
    expect(shown(page)).toEqual(shown(first))
  }
})

async function decideBoth(page: Page): Promise<void> {
  await page.sendMessage({ text: 'Refund both.' })
  const ids = callsOf(page).flatMap(({ approval }) => (approval === undefined ? [] : [approval.id]))
  await page.decide?.({ id: ids[0] ?? '', approved: true })
  await page.decide?.({ id: ids[1] ?? '', approved: false })
  await settled(page, 'Both are done.')
}

describe.each(Object.entries(withoutApprovals))('ai %s, with approvals in data parts', (_, make) => {
  async function asked(parts: HouseParts = {}) {
    const home = await house({ ...parts, query: '?approvals=data' })
    const options = (history?: readonly Message[]) => ({
      ...home.options(history),
      body: { approvals: 'data' },
      // Version 5.0.0 cannot add a query to what it asks for again.
      fetch: ((input, init) =>
        fetch(`${input}${init?.method === 'POST' ? '' : '?approvals=data'}`, init)) as typeof fetch,
    })
    const page = make(options())
    await page.sendMessage({ text: 'Refund A1.' })
    expect({ status: page.status, error: page.error }).toEqual({ status: 'ready', error: undefined })
    return { ...home, page, options, id: questionOf(page)?.id ?? '' }
  }

  const questionOf = (page: Page) => page.messages.at(-1)?.parts.find(({ type }) => type === 'data-approval')

  /** As a page does it: the decision goes into the part, and the message is sent. */
  function decide(page: Page, decision: { approved: boolean; reason?: string }): Promise<void> {
    const noted = (part: Part) =>
      part.type === 'data-approval' ? { ...part, data: { ...(part.data as object), ...decision } } : part
    page.messages = page.messages.map((message) => ({ ...message, parts: message.parts.map(noted) }))
    return page.sendMessage()
  }

  test('asked and approved', async () => {
    const { page, runs } = await asked()
    expect(questionOf(page)?.data).toMatchObject({ tool: 'refund', input: { order: 'A1', cents: 900 } })
    await decide(page, { approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(page.messages).toHaveLength(2)
    expect(callsOf(page)).toMatchObject([{ state: 'output-available', output: { refunded: 900 } }])
    expect(runs).toHaveLength(1)
  })

  test('denied with a reason', async () => {
    const { page, runs } = await asked()
    await decide(page, { approved: false, reason: 'too late' })
    await settled(page, 'I refund it.Then: A person was asked and did not approve refund: too late')
    expect(callsOf(page)).toMatchObject([{ state: 'output-error' }])
    expect(runs).toEqual([])
  })

  test('a page that is loaded while it waits has the question, and decides', async () => {
    const { id, options, messages, runs } = await asked()
    const page = make(options(await messages()))
    expect(questionOf(page)?.id).toBe(id)
    await decide(page, { approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(runs).toHaveLength(1)
  })

  test('a page that is loaded without the answer hears it from its beginning', async () => {
    const { id, options, messages, runs } = await asked()
    const page = make(options((await messages()).filter(({ role }) => role === 'user')))
    await page.resumeStream()
    expect([page.status, questionOf(page)?.id]).toEqual(['ready', id])
    await decide(page, { approved: true })
    await settled(page, 'I refund it.Then: {"refunded":900}')
    expect(runs).toHaveLength(1)
  })

  test('approved elsewhere while the page is open: it hears the answer go on', async () => {
    const model = new PromptedModel()
    model.call('c1', 'refund', { order: 'A1', cents: 900 })
    const { id, page, messages, answer, runs } = await asked({ model, answerer: 'approver' })
    expect(await answer(id, { decision: 'approve' })).toBe(200)
    page.messages = await messages()
    const hearing = page.resumeStream()
    await until(() => expect(callsOf(page)).toMatchObject([{ state: 'output-available' }]))
    model.say('Refunded.')
    model.finish()
    await hearing
    expect(textOf(page.messages.at(-1))).toBe('Refunded.')
    expect(runs).toHaveLength(1)
  })
})
