// The contract of idempotency keys and run ids.
import { expect, test } from 'vitest'
import { claim, freshThread, request, type Subject, turn } from './turn.ts'

export function keys(subject: Subject) {
  test('the same key with the same body is the same run: its answer is told, nothing runs', async () => {
    const at = freshThread()
    const { head } = await turn(subject(), at, 'run-1', ['d0', 'd1'])
    await turn(subject(), at, 'run-2', ['d2'])
    const again = await subject().beginTurn(request(at, 'run-1', { token: 'another worker' }))
    expect(again).toMatchObject({
      outcome: 'ended',
      run: { run: 'run-1', status: 'success', answer: head, error: null },
    })
    expect(await subject().threads.get(at)).toMatchObject({ status: 'idle' })
  })

  test('the same key with another body is refused, ended or not', async () => {
    const at = freshThread()
    const { run } = request(at, 'run-1')
    const reused = request(at, 'run-9', { run: run && { ...run, run: 'run-9', bodyHash: 'another' } })
    await claim(subject(), request(at, 'run-1'))
    expect(await subject().beginTurn(reused)).toEqual({ outcome: 'key-reused' })
    const other = freshThread()
    await turn(subject(), other, 'run-1', ['d'])
    expect(await subject().beginTurn({ ...reused, ...other })).toEqual({ outcome: 'key-reused' })
  })

  test('a key counts in its own thread and tenant only', async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['d'])
    const sameKey = { run: 'run-2', key: 'key of run-1', bodyHash: 'another', input: '1', strategy: 'reject' } as const
    const nextDoor = request({ ...at, thread: 'thread-2' }, 'run-2', { run: sameKey })
    expect(await claim(subject(), nextDoor)).toMatchObject({ run: 'run-2', mine: true })
    expect(await claim(subject(), request(freshThread(), 'run-2', { run: sameKey }))).toMatchObject({ mine: true })
  })

  test('a run id that the tenant has used already is refused and changes nothing', async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['d'])
    const before = await subject().runs.get(at, 'run-1')
    const taken = { run: 'run-1', key: 'a fresh key', bodyHash: 'b', input: '1', strategy: 'reject' } as const
    expect(await subject().beginTurn(request(at, 'run-1', { run: taken }))).toEqual({ outcome: 'key-reused' })
    const nextDoor = { ...at, thread: 'thread-2' }
    expect(await subject().beginTurn(request(nextDoor, 'run-1', { run: taken }))).toEqual({ outcome: 'key-reused' })
    expect(await subject().runs.get(at, 'run-1')).toEqual(before)
    expect(await claim(subject(), request(nextDoor, 'run-2'))).toMatchObject({ mine: true })
  })
}
