// The checker itself: of a sound history it has nothing to say, and each way of being wrong it names.
import { expect, test } from 'vitest'
import { type Checkpoint, type History, type Problem, problemsOf, type Told } from '../../faults/checker.ts'
import { blockOf, twoSteps } from '../../faults/program.ts'
import type { RunEvent } from '../../src/index.ts'
import type { RunRecord } from '../../src/ports/index.ts'

const lines = ['ask:a', 'first:a#1', 'second:a#2', 'ask:b', 'first:b#3', 'second:b#4']

function checkpoints(of: readonly string[]): Checkpoint[] {
  return of.map((line, index) => {
    const run = line.replace(/^\w+:/, '').replace(/#.*/, '')
    return { seq: index + 1, parent: index, run, step: index % 3, lines: of.slice(0, index + 1) }
  })
}

const times = { createdAt: '', updatedAt: '' }

function run(name: string, answer: number, change: Partial<RunRecord> = {}): RunRecord {
  const ended = { status: 'success', step: 2, attempts: 0, error: null, orphaned: false } as const
  return { run: name, thread: 't', graph: 'g', answer, ...ended, ...times, ...change }
}

function finished(seq: number, of: readonly string[]): RunEvent {
  return { type: 'run-finished', run: 'a', seq, values: { log: of } }
}

function told(request: string, of: readonly string[], change: Partial<Told> = {}): Told {
  const streams = [[finished(of.length, of)]]
  const at = request === 'a' ? { askedAt: 0, answeredAt: 1 } : { askedAt: 2, answeredAt: 3 }
  return { request, outcome: 'accepted', lines: of, stays: true, streams, ...at, ...change }
}

const toldNothing = { ...told('a', []), outcome: 'unknown', stays: false, streams: [] } as const

interface Change {
  readonly history?: Partial<History>
  readonly stored?: Partial<History['stored']>
  readonly branch?: readonly string[]
}

function problems({ history = {}, stored = {}, branch = lines }: Change = {}): Problem['kind'][] {
  const all = checkpoints(branch)
  const thread = {
    thread: 't',
    owner: 'ada',
    metadata: {},
    status: 'idle',
    graph: 'g',
    head: all.length,
    ...times,
  } as const
  const call = (of: string, number: number) => ({ run: of, key: `${of}:2:0`, of, task: 'second', number })
  const sound: History = {
    told: [told('a', lines.slice(0, 3)), told('b', lines)],
    stored: {
      ...{ thread, branch: all, lines: branch, runs: [run('a', 3), run('b', 6)] },
      checkpoint: (seq) => all[seq - 1],
      ...stored,
    },
    calls: [call('a', 2), call('b', 4)],
    ...{ delivered: [], sends: false, pushing: false },
    block: (request) => blockOf(twoSteps, request),
    ...history,
  }
  return [...new Set(problemsOf(sound).map(({ kind }) => kind))]
}

test('of a sound history it has nothing to say', () => {
  expect(problems()).toEqual([])
})

test('an answer that was told and is not stored is lost', () => {
  const another = lines.with(5, 'second:b#9')
  expect(problems({ branch: another })).toContain('lost')
  const gone = problems({ branch: lines.slice(0, 3), stored: { runs: [run('a', 3)] } })
  expect(gone).toContain('lost')
})

test('a request that nobody waited for may leave its beginning only where its run says that it failed', () => {
  const branch = lines.slice(0, 2)
  const told = [{ ...toldNothing, request: 'a' }]
  const calls: History['calls'] = []
  const left = (status: 'error' | 'success') =>
    problems({ history: { told, calls }, branch, stored: { runs: [run('a', 2, { status, step: 1 })] } })
  expect(left('error')).toEqual([])
  expect(left('success')).toContain('different')
})

test('an answer to another’s question is no answer', () => {
  expect(problems({ history: { told: [told('a', lines.slice(0, 3)), told('b', lines.slice(0, 3))] } })).toContain(
    'lost',
  )
})

test('a question or an answer that is there twice is duplicated', () => {
  expect(problems({ branch: [...lines, 'second:b#7'] })).toContain('duplicated')
  expect(problems({ branch: [...lines, 'ask:a', 'first:a#8', 'second:a#9'] })).toContain('duplicated')
})

test('turns in another order than they were asked and answered in are disordered', () => {
  const swapped = [...lines.slice(3), ...lines.slice(0, 3)]
  const kinds = problems({ branch: swapped, history: { told: [told('a', lines.slice(0, 3)), told('b', swapped)] } })
  expect(kinds).toContain('disordered')
})

test('a turn of which a part is missing, or that nobody asked for, is different', () => {
  expect(problems({ branch: lines.toSpliced(4, 1) })).toContain('different')
  expect(problems({ branch: [...lines, 'ask:c', 'first:c#5', 'second:c#6'] })).toContain('different')
})

test('an unknown turn may be there whole or not at all, and not in part', () => {
  const unknown = {
    told: [told('a', lines.slice(0, 3)), told('b', [], { outcome: 'unknown', stays: false, streams: [] })],
  }
  expect(problems({ history: unknown })).toEqual([])
  expect(problems({ history: unknown, branch: lines.slice(0, 3), stored: { runs: [run('a', 3)] } })).toEqual([])
  expect(problems({ history: unknown, branch: lines.slice(0, 5), stored: { runs: [run('a', 3)] } })).toContain(
    'different',
  )
})

test('whoever stays and is never answered is unanswered; whoever was pushed aside is not', () => {
  const ended = told('b', [], { outcome: 'ended', code: 'run_failed', streams: [] })
  const history = { told: [told('a', lines.slice(0, 3)), ended] }
  expect(problems({ history })).toContain('unanswered')
  expect(problems({ history: { ...history, pushing: true } })).toEqual([])
})

test('T1 a stream that says finished of what is not stored, or never says so, is untrue', () => {
  const stream = (events: readonly RunEvent[]) => ({
    told: [told('a', lines.slice(0, 3)), told('b', lines, { streams: [events] })],
  })
  expect(problems({ history: stream([finished(6, lines.with(5, 'second:b#9'))]) })).toContain('untrue')
  expect(problems({ history: stream([finished(7, lines)]) })).toContain('untrue')
  const started = { type: 'run-queued', run: 'b', ahead: 1 } as const
  expect(problems({ history: stream([started]) })).toContain('untrue')
  expect(problems({ history: stream([finished(6, lines), started]) })).toContain('untrue')
})

test('T7 a stream that tells a message under another claim, or one that is not kept, is untrue', () => {
  const begun = {
    type: 'run-started',
    run: 'b',
    thread: 't',
    epoch: 2,
    step: 0,
    seq: 3,
    storageMs: 0,
    speculation: 'none',
  } as const
  const place = { step: 1, node: 'reply' }
  const says = (messageId: string, text: string): RunEvent[] => [
    begun,
    { type: 'reply-started', messageId, ...place },
    { type: 'text-delta', messageId, text, ...place },
    finished(6, lines),
  ]
  const kinds = (events: RunEvent[]) =>
    problems({ history: { told: [told('a', lines.slice(0, 3)), told('b', lines, { streams: [events] })] } })
  expect(kinds(says('b:1:0:2.1.1', 'second:b#4'))).toEqual([])
  expect(kinds(says('b:1:0:1.1.1', 'second:b#4'))).toContain('untrue')
  expect(kinds(says('b:1:0:2.1.1', 'second:b#8'))).toContain('untrue')
})

test('a run that is due, dead, or names another answer than its last, is seen', () => {
  expect(problems({ stored: { runs: [run('a', 3), run('b', 6, { status: 'running' })] } })).toContain('unfinished')
  expect(problems({ stored: { runs: [run('a', 3), run('b', 6, { status: 'dead' })] } })).toContain('unfinished')
  expect(problems({ stored: { runs: [run('a', 3), run('b', 5)] } })).toContain('gap')
})

test('a branch with a hole, a step left out or a step twice is a gap', () => {
  const change = (index: number, wrong: Partial<Checkpoint>) => {
    const all = checkpoints(lines)
    return { branch: all.map((each, place) => (place === index ? { ...each, ...wrong } : each)) }
  }
  expect(problems({ stored: change(4, { parent: 3 }) })).toContain('gap')
  expect(problems({ stored: change(4, { step: 2 }) })).toContain('gap')
  expect(problems({ stored: change(5, { step: 1 }) })).toContain('gap')
})

test('T9 one task under two keys, and an answer that was never done outside, are seen', () => {
  const call = { run: 'a', key: 'a:2:0', of: 'a', task: 'second', number: 2 }
  const other = { ...call, of: 'b', number: 4 }
  expect(problems({ history: { calls: [call, { ...call, key: 'x', number: 1 }, other] } })).toContain('key')
  expect(problems({ history: { calls: [call, { ...call, number: 1 }, other] } })).toEqual([])
  expect(problems({ history: { calls: [call, { ...other, number: 9 }] } })).toContain('key')
})

test('a message that never came, came of nothing, or came under two ids, is seen; one that came twice is not', () => {
  const sent = (delivered: History['delivered']) => problems({ history: { sends: true, delivered } })
  const [a, b] = [
    { id: '1', of: 'a' },
    { id: '2', of: 'b' },
  ]
  expect(sent([a, b, b])).toEqual([])
  expect(sent([a])).toContain('message')
  expect(sent([a, b, { id: '3', of: 'c' }])).toContain('message')
  expect(sent([a, b, { id: '3', of: 'b' }])).toContain('message')
})
