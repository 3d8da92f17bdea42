// The contract on runs that put: what is forgotten with a thread does not come back by a run of it.
import { expect, test } from 'vitest'
import type { Checkpointer } from '../../../src/ports/checkpointer.ts'
import { claim, freshThread, request, takeOver } from '../checkpointer/turn.ts'
import type { Subject } from './subject.ts'

export function holding(subject: Subject, checkpointer: () => Checkpointer) {
  const putter = () => {
    const at = freshThread()
    const put = (token: string) =>
      subject().put({
        ...{ tenant: at.tenant, namespace: ['users', 'ada'], key: token, value: { text: 'canary' } },
        after: Promise.resolve({ claim: { thread: at.thread, token } }),
      })
    const kept = async () => {
      const { items } = await subject().search({ tenant: at.tenant, prefix: [] })
      return items.map(({ key }) => key)
    }
    return { at, put, kept }
  }
  const refused = { code: 'run_fenced' }

  test('a run that holds its thread puts, and one without a thread', async () => {
    const { at, put, kept } = putter()
    const begin = request(at)
    await claim(checkpointer(), begin)
    await put(begin.token)
    const threadless = {
      tenant: at.tenant,
      namespace: ['users', 'ada'],
      key: 'k',
      value: {},
      after: Promise.resolve({}),
    }
    await subject().put(threadless)
    expect((await kept()).toSorted()).toEqual(['k', begin.token])
  })

  test('what a run of a deleted thread puts is refused, also when the thread was made anew', async () => {
    const { at, put, kept } = putter()
    const begin = request(at)
    await claim(checkpointer(), begin)
    await checkpointer().threads.delete(at)
    await expect(put(begin.token)).rejects.toMatchObject(refused)
    await claim(checkpointer(), request(at, 'run-2'))
    await expect(put(begin.token)).rejects.toMatchObject(refused)
    expect(await kept()).toEqual([])
  })

  test('what a run puts whose thread another worker has taken over is refused', async () => {
    const { at, put, kept } = putter()
    const begin = request(at, 'run-1', { leaseMs: 0 })
    await claim(checkpointer(), begin)
    await claim(checkpointer(), takeOver(at, 'another'))
    await expect(put(begin.token)).rejects.toMatchObject(refused)
    await put('another')
    expect(await kept()).toEqual(['another'])
  })
}
