// The outbox: messages that share a commit, are lent to one at a time, and are kept until they are settled.
import { expect, test } from 'vitest'
import type { StepCommit, ThreadKey } from '../../../src/ports/checkpointer.ts'
import type { OutboxMessage, TakeMessages } from '../../../src/ports/outbox.ts'
import type { Later } from '../later.ts'
import { claim, commitOf, freshThread, passing, request, type Subject, tipOf } from './turn.ts'

const entries = (run: string, count = 1) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ id: `${run}:1:0.${index + 1}`, topic: 'sent', payload: `"\\u0000 ${index}"` },
  }))

export function outbox(subject: Subject, later: Later) {
  const sending = async (at: ThreadKey, run: string, change: Partial<StepCommit> = {}) => {
    const begin = request(at, run)
    const tip = tipOf(begin, await claim(subject(), begin))
    const { commit } = commitOf(tip, 1, ['input', 'step'], { messages: entries(run), ...change })
    return commit
  }
  const sent = async (at: ThreadKey, run = 'run-1', count = 1) =>
    subject().commitStep(await sending(at, run, { messages: entries(run, count) }))
  const take = ({ tenant }: ThreadKey, change: Partial<TakeMessages> = {}, run = 'run-1') =>
    subject().outbox.take({
      ...{ graphs: ['graph'], run: { tenant, run }, token: 'a', limit: 10, leaseMs: 60_000 },
      ...change,
    })
  const ref = ({ tenant, id }: OutboxMessage, token = 'a') => ({ tenant, id, token })

  test('a message is there with the commit that sends it, once however often that is sent, and not before', async () => {
    const at = freshThread()
    const commit = await sending(at, 'run-1')
    expect(await take(at)).toEqual([])
    expect(await subject().commitStep({ ...commit, epoch: 9 })).toMatchObject({ outcome: 'fenced' })
    expect(await take(at)).toEqual([])
    for (let time = 0; time < 3; time++) await subject().commitStep(commit)
    const [message, ...others] = await take(at)
    expect(others).toEqual([])
    expect(message).toEqual({
      ...{ id: 'run-1:1:0.1', topic: 'sent', payload: '"\\u0000 0"' },
      ...{ tenant: at.tenant, thread: at.thread, run: 'run-1', graph: 'graph', attempt: 1 },
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    })
  })

  test('a message is lent to one at a time, and again when its time is up', async () => {
    const at = freshThread()
    await sent(at)
    const [message] = await take(at)
    await later(at.tenant, 30_000)
    expect(await take(at, { token: 'b' })).toEqual([])
    await later(at.tenant, 30_100)
    expect(await take(at, { token: 'b' })).toMatchObject([{ id: message?.id, attempt: 2 }])
    if (message === undefined) return
    expect(await subject().outbox.settle(ref(message), { status: 'delivered' })).toBe(false)
    expect(await subject().outbox.settle(ref(message, 'b'), { status: 'delivered' })).toBe(true)
    expect(await subject().outbox.settle(ref(message, 'b'), { status: 'delivered' })).toBe(false)
  })

  test('many takers at once get each message once', async () => {
    const at = freshThread()
    await sent(at, 'run-1', 20)
    const taken = await Promise.all(
      Array.from({ length: 10 }, (_, index) => take(at, { token: `taker ${index}`, limit: 3 })),
    )
    const rest = await take(at, { limit: 20 })
    const ids = [...taken.flat(), ...rest].map(({ id }) => id)
    expect(ids).toHaveLength(20)
    expect(new Set(ids).size).toBe(20)
  })

  test('what failed is due again after its pause, and what is settled never', async () => {
    const at = freshThread()
    await sent(at, 'run-1', 3)
    const [first, second, third] = await take(at)
    if (first === undefined || second === undefined || third === undefined) expect.unreachable()
    await subject().outbox.settle(ref(first), { status: 'pending', dueInMs: 60_000, error: 'busy' })
    await subject().outbox.settle(ref(second), { status: 'failed', error: 'gone' })
    await subject().outbox.settle(ref(third), { status: 'delivered' })
    await later(at.tenant, 30_000)
    expect(await take(at)).toEqual([])
    await later(at.tenant, 30_100)
    expect(await take(at)).toMatchObject([{ id: first.id, attempt: 2 }])
  })

  test('only messages of these graphs, and of this run, are lent', async () => {
    const at = freshThread()
    await sent(at)
    expect(await take(at, { graphs: ['other'] })).toEqual([])
    expect(await take(at, {}, 'run-2')).toEqual([])
    expect(await take({ ...at, tenant: 'other' })).toEqual([])
    const all = await subject().outbox.take({ graphs: ['graph'], run: null, token: 'a', limit: 10_000, leaseMs: 1 })
    expect(all.filter(({ tenant }) => tenant === at.tenant)).toHaveLength(1)
  })

  test('a debounced message waits, and takes the place of the one before, delivered or not', async () => {
    const at = freshThread()
    const debounced = (payload: string, debounceMs: number) => [
      { id: '$of-thread', topic: 'later', payload, debounceMs },
    ]
    const send = async (run: string, payload: string, debounceMs: number) => {
      await subject().commitStep(await sending(at, run, { messages: debounced(payload, debounceMs) }))
    }
    await send('run-1', '1', 60_000)
    expect(await take(at)).toEqual([])
    await send('run-2', '2', 0)
    const [second, ...others] = await take(at, {}, 'run-2')
    expect(others).toEqual([])
    expect(second).toMatchObject({ payload: '2', run: 'run-2', attempt: 1 })
    if (second === undefined) return
    // While it is being delivered another is sent: that is due for itself.
    await send('run-3', '3', 0)
    expect(await subject().outbox.settle(ref(second), { status: 'delivered' })).toBe(false)
    const [third] = await take(at, { token: 'b' }, 'run-3')
    expect(third).toMatchObject({ id: '$of-thread', payload: '3', attempt: 1 })
    if (third === undefined) return
    expect(await subject().outbox.settle(ref(third, 'b'), { status: 'delivered' })).toBe(true)
    await send('run-4', '4', 0)
    expect(await take(at, { token: 'c' }, 'run-4')).toMatchObject([{ payload: '4', attempt: 1 }])
  })

  test('a thread that is deleted takes its settled messages along, and those to come when they are settled', async () => {
    const at = freshThread()
    await sent(at, 'run-1', 2)
    const [first, second] = await take(at)
    if (first === undefined || second === undefined) expect.unreachable()
    await subject().outbox.settle(ref(first), { status: 'delivered' })
    await subject().threads.delete(at)
    await subject().outbox.settle(ref(second), { status: 'pending', dueInMs: 0, error: 'busy' })
    expect(await take(at, { token: 'b' })).toMatchObject([{ id: second.id }])
    expect(await subject().outbox.settle(ref(second, 'b'), { status: 'delivered' })).toBe(true)
    // Its id is free again: nothing of it is left.
    await sent(at, 'run-1', 2)
    expect(await take(at, { token: 'c' })).toMatchObject([{ attempt: 1 }, { attempt: 1 }])
  })

  test('what a person’s threads have sent goes with the person, also of threads that are gone', async () => {
    const at = freshThread()
    const gone = { ...at, thread: `${at.thread}-gone` }
    const other = { ...at, thread: `${at.thread}-other`, owner: 'bob' }
    for (const each of [at, gone, other]) await sent(each, `run-${each.thread}`)
    await subject().threads.delete(gone)
    await subject().outbox.forget('elsewhere', 'ada')
    await subject().outbox.forget(at.tenant, 'ada')
    expect(await take(at, {}, `run-${at.thread}`)).toEqual([])
    expect(await take(at, {}, `run-${gone.thread}`)).toEqual([])
    expect(await take(at, {}, `run-${other.thread}`)).toHaveLength(1)
  })

  test('what was settled long ago is forgotten', async () => {
    const at = freshThread()
    await sent(at)
    const [message] = await take(at)
    if (message === undefined) expect.unreachable()
    await subject().outbox.settle(ref(message), { status: 'delivered' })
    await subject().outbox.purge(60_000)
    await passing(10)
    await subject().outbox.purge(1)
    await subject().threads.delete(at)
    await sent(at)
    expect(await take(at, { token: 'b' })).toHaveLength(1)
  })
}
