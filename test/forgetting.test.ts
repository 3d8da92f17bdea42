// Forgetting: of a person, a memory, a namespace or a source no word is left but what is said here to stay, nor does a run bring one back.
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { tool } from '../src/index.ts'
import { signWebhook } from '../src/kernel/webhook.ts'
import { asking, canary, deployed, placesOf, services, settled, use } from './canary-desk.ts'
import { leftoversOf } from './leftovers.ts'
import { isExtraction, writing } from './memory/extracting.ts'
import { receiver } from './webhooks/receiver.ts'

test('a person who is forgotten is nowhere: not in a table, not in Redis, not in the index', async () => {
  const { app, as, shaky, store, swept, webhooks } = deployed()
  const [person, thread] = [`ada-${canary}`, `t-${canary}`]
  const [ada, operator] = [as(person), as('op', 'chat approve operate')]
  const receivers = [await receiver(204), await receiver(500)]
  const events = ['approval.requested', 'run.finished', 'run.failed'] as const
  for (const { url } of receivers) await webhooks.createEndpoint('acme', { url, events })
  const { secret: signing } = await webhooks.createKey('acme')
  const run = async (body: object, of = thread) => {
    expect((await ada('POST', `/threads/${of}/runs/wait`, body)).status).toBe(200)
  }
  // What is said of them elsewhere, by name alone, is what stays.
  await store.put({
    tenant: 'acme',
    namespace: ['team'],
    key: 'k',
    value: { text: 'Builds are slow.' },
    author: person,
  })

  for (const text of [`the first ${canary}`, `the second ${canary}`]) {
    await ada('PUT', '/store/items', { namespace: ['users', person], key: `k-${canary}`, value: { text } })
  }
  await run(use('remember', { text: `a tool knows the ${canary}` }))
  await run(asking(`where is the ${canary}?`))
  for (const of of ['approved', 'refused', 'waiting']) await run(use('refund', { order: canary }), `${thread}-${of}`)
  const { body: asked } = await operator('GET', '/approvals?status=pending')
  const idOf = (of: string) => asked.find((each: { thread_id: string }) => each.thread_id === `${thread}-${of}`).id
  const data = { id: idOf('approved'), answer: { decision: 'approve' }, by: person }
  const body = JSON.stringify({ type: 'approval.answered', data })
  for (const id of ['msg_1', 'msg_2']) {
    const headers = { ...signWebhook({ id, body, nowMs: Date.now() }, [signing]) }
    await app.request('/webhooks/acme/approvals', { method: 'POST', body, headers })
  }
  const refusal = { answer: { decision: 'reject', reason: canary } }
  expect((await operator('POST', `/approvals/${idOf('refused')}`, refusal)).status).toBe(200)
  shaky.fails = true
  await run(asking(canary), `${thread}-failed`)
  shaky.fails = false
  // A thread that went before its messages were delivered.
  await run(asking(canary), `${thread}-deleted`)
  expect((await ada('DELETE', `/threads/${thread}-deleted`)).status).toBe(204)
  for (let time = 0; time < 3; time++) await swept()

  const before = await leftoversOf(services)
  const holding = [
    'approval_attempts',
    'approvals',
    'checkpoints',
    'item_history',
    'items',
    'outbox',
    'runs',
    'threads',
  ]
  expect(placesOf(before)).toEqual(['Vector', ...holding, 'writes'].toSorted())
  // What has no canary in it is of them all the same.
  expect(before.rows.filter((row) => /^(webhooks_seen|deliveries) /.test(row)).length).toBeGreaterThan(3)
  expect(before.rows.filter((row) => row.startsWith('outbox ') && row.includes(',told,')).length).toBeGreaterThan(0)
  expect(before.rows.filter((row) => row.startsWith('items ') && row.includes('extractions')).length).toBeGreaterThan(0)
  expect(before.keys.some(({ elements }) => elements.some((element) => element.length > 100))).toBe(true)

  const { status, body: forgotten } = await ada('POST', '/memories/forget', { user: person })
  expect({ status, forgotten }).toEqual({ status: 200, forgotten: { items: expect.any(Number), threads: 5 } })
  // The index hears of it right away, and once more when its queries are sure to have: of items by their hashes.
  await settled(swept)
  const after = await leftoversOf(services)
  expect(after.rows.filter((row) => row.includes(canary))).toEqual([expect.stringMatching(/^items .*team/)])
  expect(after.rows.filter((row) => /^(webhooks_seen|writes|runs|checkpoints|approval\w*|outbox) /.test(row))).toEqual(
    [],
  )
  // Of the index no row but the team's; of Redis no key but those that keep a turn that ends late from writing, for two minutes.
  expect(after.vectors).toEqual([expect.stringContaining('Builds are slow.')])
  expect(placesOf(after)).toEqual(['items'])
  for (const { name, elements, livesMs } of after.keys) {
    expect(['deleted', '9007199254740991.0.'], name).toContain(elements.join())
    expect(livesMs).toBeGreaterThan(0)
    expect(livesMs).toBeLessThanOrEqual(120_000)
  }
  await Promise.all(receivers.map((each) => each.close()))
  await operator('POST', '/memories/forget', { namespace: ['team'] })
}, 120_000)

test.each(['id', 'namespace', 'source'])(
  'of what is forgotten by its %s nothing is left but a gap',
  async (way) => {
    const { as, store, cache, events, swept } = deployed({
      word: 'nothing',
      thinks: (conversation, request) => {
        if (isExtraction(request)) return writing()
        return JSON.stringify(request.messages).includes(canary)
          ? 'I know.'
          : `Nothing of ${conversation.at(-1)?.content}`
      },
    })
    const [sub, thread] = [`bob-${way}`, `by-${way}`]
    const bob = as(sub)
    const at = { tenant: 'acme', namespace: ['users', sub, 'zoo'], key: 'k', source: `vet-${way}` }
    for (const text of [`an elephant, ${canary}`, `an old elephant, ${canary}`])
      await store.put({ ...at, value: { text } })
    const asked = async () => {
      const { body } = await bob('POST', `/threads/${thread}/runs/wait`, asking('elephant'))
      return body.messages.at(-1).content
    }
    expect(await asked()).toBe('I know.')
    await settled(swept)
    expect(placesOf(await leftoversOf(services))).toEqual(['Vector', 'item_history', 'items'])
    const [item] = (await bob('POST', '/store/items/search', { namespace_prefix: ['users', sub] })).body.items
    const { body: known } = await bob('GET', `/threads/${thread}/state`)
    expect(known.values.recalled).toEqual([expect.objectContaining({ id: item.id, version: 2 })])

    const wanted = { id: item.id, namespace: at.namespace, source: at.source }[way]
    const forgetting = await as('op', 'operate')('POST', '/memories/forget', { [way]: wanted })
    expect(forgetting.body).toEqual({ items: 1, threads: 0 })
    expect((await bob('GET', `/memories/${item.id}/history`)).status).toBe(404)
    await settled(swept)
    const after = await leftoversOf(services)
    expect(placesOf(after)).toEqual([])
    expect(after.rows.filter((row) => row.includes(item.id) && !/^(checkpoints|runs) /.test(row))).toEqual([])
    // The thread has the id, and what Redis has of it, opened, no word: of a memory that is there no more nothing is said.
    const key = { tenant: 'acme', thread, owner: sub }
    const kept = [...((await cache?.read(key)) ?? []), ...((await events?.read(key)) ?? [])]
    expect(kept.length).toBeGreaterThan(1)
    expect(JSON.stringify(kept)).not.toContain(canary)
    expect(await asked()).toBe('Nothing of elephant')
    expect((await as(sub)('POST', '/memories/forget', { user: sub })).body.threads).toBe(1)
  },
  60_000,
)

test.each(['user', 'namespace', 'source'])('what had expired and was not swept yet goes with its %s', async (way) => {
  const { as, store } = deployed({ word: 'nothing', thinks: () => 'nothing' })
  const sub = `dora-${way}`
  const at = { tenant: 'acme', namespace: ['users', sub], key: 'k', source: `import-${way}` }
  for (const text of [canary, `old ${canary}`]) await store.put({ ...at, value: { text }, ttlMs: 5 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  const wanted = { user: sub, namespace: at.namespace, source: at.source }[way]
  expect((await as('op', 'operate')('POST', '/memories/forget', { [way]: wanted })).status).toBe(200)
  expect((await leftoversOf(services)).rows.filter((row) => row.includes(canary))).toEqual([])
})

/** Settles when the gate is opened; `entered` when somebody waits at it. */
function gate() {
  const [entered, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const pass = async () => {
    entered.resolve()
    await opened.promise
  }
  return { entered: entered.promise, open: opened.resolve, pass }
}

test.each(['model', 'tool'])(
  'a run whose %s is at work when its person is forgotten brings nothing back',
  async (who) => {
    const at = gate()
    const outcomes: unknown[] = []
    const slow = tool('slow', {
      description: 'Takes its time.',
      input: z.object({}),
      run: async (_, context) => {
        if (who === 'tool') await at.pass()
        context.emit('said', canary)
        const memory = context.memory('users', context.user)
        const put = context.store.put(['users', context.user, 'notes'], 'k', { text: canary })
        const written = await Promise.allSettled([memory.remember(canary), put])
        outcomes.push(...written.map((each) => (each.status === 'rejected' ? each.reason.code : each.status)))
        return canary
      },
    })
    const { as, swept, checkpointer } = deployed({
      tools: [slow],
      word: 'nothing',
      thinks: async (conversation, request) => {
        if (isExtraction(request)) return writing({ action: 'add', text: canary, from: [1] })
        if (conversation.at(-1)?.role === 'tool') return canary
        if (who === 'model') await at.pass()
        return { text: canary, calls: [{ name: 'slow', arguments: {} }] }
      },
    })
    const person = `cleo-${who}`
    const cleo = as(person)
    const running = cleo('POST', `/threads/running-${who}/runs/stream`, asking(`the ${canary}`))
    await at.entered
    expect((await cleo('POST', '/memories/forget', { user: person })).body).toEqual({ items: 0, threads: 1 })
    at.open()
    const { text } = await running
    expect(text).toContain('event: error')
    expect(outcomes).toEqual(who === 'tool' ? ['run_fenced', 'run_fenced'] : [])
    await settled(swept)
    const after = await leftoversOf(services)
    expect(placesOf(after)).toEqual([])
    expect(after.rows.filter((row) => row.includes(person))).toEqual([])
    for (const { elements } of after.keys) expect(['deleted', '9007199254740991.0.']).toContain(elements.join())
    // Who comes back is somebody new, also under the same thread.
    expect((await cleo('POST', `/threads/running-${who}/runs/wait`, asking('again'))).status).toBe(200)
    expect(await checkpointer.threads.get({ tenant: 'acme', thread: `running-${who}`, owner: person })).toBeDefined()
    await cleo('POST', '/memories/forget', { user: person })
  },
  60_000,
)
