// The contract of what is read back: chains, snapshots, and what comes along with a claim.
import { expect, test } from 'vitest'
import { claim, committed, frames, freshThread, request, type Subject, shapeOf, tipOf, turn } from './turn.ts'

export function chains(subject: Subject) {
  /** A thread of `turns` turns of two checkpoints each, 100 bytes a delta. Hash of checkpoint n is `hashes[n]`. */
  const grown = async (turns: number, at = freshThread()) => {
    for (let number = 1; number <= turns; number++) {
      await turn(subject(), at, `run-${number}`, ['i'.repeat(100), 'o'.repeat(100)])
    }
    const hashes = ['', ...(await frames(subject(), at)).map(({ hash }) => hash)]
    const snapshot = (seq: number, text: string, hash = hashes[seq] ?? '') =>
      subject().putSnapshot({ tenant: at.tenant, thread: at.thread, seq, hash, text })
    return { at, hashes, snapshot }
  }
  const sizes = async (at: ReturnType<typeof freshThread>, run: string) => {
    const begin = request(at, run)
    const claimed = await claim(subject(), begin)
    await subject().commitStep({
      ...tipOf(begin, claimed).claim,
      ...{
        head: claimed.head,
        hash: claimed.hash,
        step: 0,
        checkpoints: [],
        saved: [],
        messages: [],
        status: 'cancelled',
        error: null,
        leaseMs: 1,
      },
    })
    return [claimed.chainBytes, claimed.baseBytes]
  }

  test('a chain leads from the root to the head, oldest first', async () => {
    const { at } = await grown(3)
    const chain = await subject().loadChain({ ...at, seq: null, count: 1 })
    expect(chain?.head).toBe(6)
    expect(shapeOf(chain?.frames ?? [])).toBe('d1 d2 d3 d4 d5 d6')
    const [first, second] = chain?.frames ?? []
    expect(first).toMatchObject({ parent: 0, run: 'run-1', step: 0, text: 'i'.repeat(100) })
    expect(second).toMatchObject({ parent: 1, run: 'run-1', step: 1 })
    expect(new Date(first?.createdAt ?? '').toISOString()).toBe(first?.createdAt)
    expect(shapeOf(await frames(subject(), at, 4))).toBe('d1 d2 d3 d4')
  })

  test('a chain stops at the first snapshot that leaves as many checkpoints as were asked for', async () => {
    const { at, snapshot } = await grown(4)
    await snapshot(2, 'S2')
    await snapshot(6, 'S6')
    const shape = async (seq: number | null, count: number) => shapeOf(await frames(subject(), at, seq, count))
    expect(await shape(null, 1)).toBe('s6 d7 d8')
    expect(await shape(null, 3)).toBe('s6 d7 d8')
    expect(await shape(null, 4)).toBe('s2 d3 d4 d5 d6 d7 d8')
    expect(await shape(null, 7)).toBe('s2 d3 d4 d5 d6 d7 d8')
    expect(await shape(null, 8)).toBe('d1 d2 d3 d4 d5 d6 d7 d8')
    expect(await shape(6, 1)).toBe('s6')
    expect(await shape(5, 1)).toBe('s2 d3 d4 d5')
    expect(await shape(2, 1)).toBe('s2')
    expect(await shape(1, 1)).toBe('d1')
    expect((await frames(subject(), at, 6, 1))[0]).toMatchObject({ text: 'S6', parent: 5, run: 'run-3', step: 1 })
  })

  test('a chain of nobody, of another owner, or of no checkpoint', async () => {
    const { at } = await grown(1)
    const load = (change: object) => subject().loadChain({ ...at, seq: null, count: 1, ...change })
    expect(await load({ owner: 'bob' })).toBeUndefined()
    expect(await load({ thread: 'another' })).toBeUndefined()
    expect(await load({ tenant: 'another' })).toBeUndefined()
    expect(await load({ owner: null })).toEqual(await load({}))
    expect((await load({ seq: 99 }))?.frames ?? []).toEqual([])
    const empty = freshThread()
    await subject().threads.create(empty, {})
    expect(await subject().loadChain({ ...empty, seq: null, count: 1 })).toEqual({ head: 0, frames: [] })
  })

  test('a snapshot is attached once, to the checkpoint of its hash only', async () => {
    const { at, snapshot } = await grown(2)
    await snapshot(2, 'forged', 'another hash')
    await snapshot(99, 'of none', '')
    await snapshot(0, 'of the root', '')
    expect(shapeOf(await frames(subject(), at, null, 1))).toBe('d1 d2 d3 d4')
    await snapshot(2, 'first')
    await snapshot(2, 'second')
    expect((await frames(subject(), at, null, 1))[0]).toMatchObject({ seq: 2, kind: 'snapshot', text: 'first' })
    await subject().putSnapshot({ ...at, thread: 'another', seq: 2, hash: '', text: 'x' })
  })

  test('the sizes that come with a claim count from the nearest snapshot below', async () => {
    const { at, snapshot } = await grown(3)
    expect(await sizes(at, 'a')).toEqual([600, 0])
    await snapshot(4, 'x'.repeat(250))
    expect(await sizes(at, 'b')).toEqual([200, 250])
    await snapshot(4, 'y'.repeat(999))
    expect(await sizes(at, 'c')).toEqual([200, 250])
    await turn(subject(), at, 'd', ['z'.repeat(10)])
    expect(await sizes(at, 'e')).toEqual([210, 250])
    await snapshot(6, 'x'.repeat(300))
    expect(await sizes(at, 'f')).toEqual([10, 300])
    await subject().putSnapshot({
      ...at,
      seq: 7,
      hash: (await frames(subject(), at)).at(-1)?.hash ?? '',
      text: 'x'.repeat(350),
    })
    await turn(subject(), at, 'g', ['z'.repeat(20)])
    expect(await sizes(at, 'h')).toEqual([20, 350])
    expect(shapeOf(await frames(subject(), at, null, 1))).toBe('s7 d8')
  })

  test('a snapshot that arrives after a later one leaves the sizes behind that one alone', async () => {
    const { at, snapshot } = await grown(4)
    await snapshot(6, 'x'.repeat(300))
    await snapshot(2, 'y'.repeat(50))
    expect(await sizes(at, 'a')).toEqual([200, 300])
    await turn(subject(), at, 'b', ['z'])
    expect(await sizes(at, 'c')).toEqual([201, 300])
    expect(shapeOf(await frames(subject(), at, null, 1))).toBe('s6 d7 d8 d9')
    expect(shapeOf(await frames(subject(), at, 6, 2))).toBe('s2 d3 d4 d5 d6')
  })

  test('sizes are bytes as stored, whatever the script', async () => {
    const at = freshThread()
    await turn(subject(), at, 'run-1', ['é漢😀'])
    expect(await sizes(at, 'a')).toEqual([9, 0])
  })

  test('a chain comes along with a claim up to the size asked for, and no further', async () => {
    const { at } = await grown(2)
    const begin = (inlineBytes: number, token: string) => request(at, 'run-9', { inlineBytes, token, leaseMs: 1 })
    const within = await claim(subject(), begin(400, 'a'))
    expect(within.frames && shapeOf(within.frames)).toBe('d1 d2 d3 d4')
    await subject().releaseTurn({ ...at, run: 'run-9', epoch: within.epoch, token: 'a' }, [])
    expect((await claim(subject(), begin(399, 'b'))).frames).toBeNull()
  })

  test('numbers of checkpoints only ever grow, and a run of many steps is one branch', async () => {
    const at = freshThread()
    const begin = request(at, 'run-1')
    let tip = tipOf(begin, await claim(subject(), begin))
    for (let step = 0; step < 5; step++) {
      tip = await committed(subject(), tip, step, [`d${step}`], { status: step < 4 ? 'running' : 'success' })
      expect(tip.head).toBe(step + 1)
    }
    expect((await frames(subject(), at)).map(({ parent }) => parent)).toEqual([0, 1, 2, 3, 4])
  })
}
