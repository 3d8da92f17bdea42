// Snapshots: so seldom that all of them together cost about as much as the deltas, so often that a load stays short.
import { describe, expect, test } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, last, StateGraph } from '../../src/index.ts'
import type { SnapshotPut } from '../../src/ports/chains.ts'
import { altered, at } from './doubles.ts'

const state = { log: append<string>(), held: last<unknown>(), small: last(0) }

const recording = () => {
  const inner = memoryCheckpointer()
  const snapshots: SnapshotPut[] = []
  const written = { deltas: 0 }
  const checkpointer = altered(inner, {
    commitStep: (step) => {
      for (const { delta } of step.checkpoints) written.deltas += Buffer.byteLength(delta)
      return inner.commitStep(step)
    },
    putSnapshot: (snapshot) => {
      snapshots.push(snapshot)
      return inner.putSnapshot(snapshot)
    },
  })
  const nodes = { a: () => ({ small: 1 }) }
  const app = new StateGraph({ state, nodes, edges: { start: 'a' } }).compile({ checkpointer })
  const snapshotBytes = () => snapshots.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const load = async () => {
    const chain = await inner.loadChain({ tenant: at.tenant, thread: at.thread, owner: null, seq: null, count: 1 })
    return (chain?.frames ?? []).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  }
  return { app, snapshots, snapshotBytes, written, load }
}

describe('snapshots', () => {
  test.each([
    ['Latin', 'The quick brown fox jumps over it. '],
    ['Chinese', '敏捷的棕色狐狸跳过了它。'],
    ['code', '{"a":"b\\n","c":"\\"d\\""}\n'],
    ['emoji', '😀😃😄😁'],
  ])('of a thread in %s cost about as much as its deltas, and a load twice the state', async (_, words) => {
    const { app, snapshots, snapshotBytes, written, load } = recording()
    const text = words.repeat(Math.ceil(500 / words.length))
    for (let number = 0; number < 200; number++) {
      await app.invoke({ log: text }, at)
      const stateBytes =
        Buffer.byteLength(JSON.stringify((number + 1) * 1)) + (number + 1) * Buffer.byteLength(JSON.stringify(text))
      expect(await load()).toBeLessThan(2 * stateBytes + 40_000)
    }
    expect(snapshots.length).toBeGreaterThan(1)
    expect(snapshots.length).toBeLessThan(12)
    expect(snapshotBytes()).toBeLessThan(written.deltas * 2.2)
    expect((await app.state(at)).values.log).toHaveLength(200)
  })

  test.each([
    ['a Map', new Map(Array.from({ length: 2_000 }, (_, index) => [`key ${index}`, `value of ${index}`]))],
    ['many numbers', Array.from({ length: 8_000 }, (_, index) => 1 / (index + 3))],
    ['bytes', new Uint8Array(60_000)],
    ['dates', Array.from({ length: 3_000 }, (_, index) => new Date(index))],
    ['long words', Array.from({ length: 100 }, () => '漢字'.repeat(300))],
    ['escapes', '\u0001"\\\n'.repeat(10_000)],
  ])('of a state that is mostly %s are not taken at every turn', async (_, held) => {
    const { app, snapshots } = recording()
    await app.invoke({ held }, at)
    for (let number = 0; number < 30; number++) await app.invoke({ log: 'x' }, at)
    expect(snapshots.length).toBeLessThanOrEqual(2)
    expect((await app.state(at)).values.held).toEqual(held)
  })

  test('are taken once after much was deleted, so that the load shrinks with the state', async () => {
    const { app, snapshots, load } = recording()
    await app.invoke({ held: 'x'.repeat(200_000) }, at)
    await app.invoke({}, at)
    await app.invoke({ held: '' }, at)
    const before = snapshots.length
    for (let number = 0; number < 5; number++) await app.invoke({ log: 'x' }, at)
    expect(snapshots.length).toBe(before + 1)
    expect(await load()).toBeLessThan(10_000)
  })

  test('are none on a short thread', async () => {
    const { app, snapshots } = recording()
    for (let number = 0; number < 20; number++) await app.invoke({ log: 'Hi' }, at)
    expect(snapshots).toEqual([])
  })
})
