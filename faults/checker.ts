// Compares what clients were told with what is stored. Pure: it knows no storage, and is itself tested with histories that are wrong.
import type { RunEvent, RunStarted } from '../src/index.ts'
import type { RunRecord, ThreadRecord } from '../src/ports/index.ts'
import { type Call, type Delivered, linesOf, requestOf, withoutAttempt } from './program.ts'

/**
 * What one client was told of one request. accepted: it got an answer. ended: that the run ended without one, as one that
 * failed or was pushed aside. unknown: nothing, or it did not stay to hear.
 */
export interface Told {
  readonly request: string
  readonly outcome: 'accepted' | 'ended' | 'unknown'
  /** Why it ended. */
  readonly code?: string
  /** Whether it meant to stay until it is answered. */
  readonly stays: boolean
  /** The state it was given with the answer. */
  readonly lines: readonly string[]
  /** What it saw of its run, a list for each try. */
  readonly streams: readonly (readonly RunEvent[])[]
  /** When it asked and when it had its answer, in any unit. */
  readonly askedAt: number
  readonly answeredAt: number
}

export interface Checkpoint {
  readonly seq: number
  readonly parent: number
  readonly run: string
  readonly step: number
  readonly lines: readonly string[]
}

export interface Stored {
  /** Absent: there is no such thread. */
  readonly thread: ThreadRecord | undefined
  readonly runs: readonly RunRecord[]
  /** The branch of the head, oldest first. */
  readonly branch: readonly Checkpoint[]
  /** Any checkpoint, also off the branch. */
  readonly checkpoint: (seq: number) => Checkpoint | undefined
  /** What is at the head. */
  readonly lines: readonly string[]
}

export interface History {
  readonly told: readonly Told[]
  readonly stored: Stored
  readonly calls: readonly Call[]
  /** Messages that came out of the outbox. */
  readonly delivered: readonly Delivered[]
  /** Whether every request sends one. */
  readonly sends: boolean
  /** The lines that a request leaves when nothing goes wrong, without the numbers of attempts. */
  readonly block: (request: string) => readonly string[]
  /** Whether requests push each other aside: then one may end without an answer. */
  readonly pushing: boolean
}

export interface Problem {
  readonly kind:
    | 'lost'
    | 'unanswered'
    | 'noticed'
    | 'duplicated'
    | 'disordered'
    | 'different'
    | 'untrue'
    | 'unfinished'
    | 'gap'
    | 'key'
    | 'message'
    | 'unapproved'
  readonly what: string
}

export function problemsOf(history: History): Problem[] {
  return [
    ...answersLost(history),
    ...unanswered(history),
    ...doubles(history),
    ...blocksWrong(history),
    ...untruths(history),
    ...unfinished(history.stored),
    ...gaps(history.stored),
    ...answersWrong(history.stored),
    ...keysWrong(history),
    ...messagesWrong(history),
  ]
}

/** An accepted state is the beginning of every later one. */
function answersLost({ told, stored }: History): Problem[] {
  return told.flatMap(({ request, outcome, lines }) => {
    if (outcome !== 'accepted') return []
    const own = lines.filter((line) => requestOf(line) === request)
    const missing = own.filter((line) => !stored.lines.includes(line))
    if (own.length === 0) return [problem('lost', `${request} was accepted with an answer that is not its own`)]
    if (missing.length > 0) return [problem('lost', `${request} was told ${missing.join(' ')}, which is not stored`)]
    const moved = lines.find((line, index) => stored.lines[index] !== line)
    return moved === undefined ? [] : [problem('disordered', `${request} was told ${moved} at another place`)]
  })
}

/** Whoever stays is answered in the end, or pushed aside by another. */
function unanswered({ told, pushing }: History): Problem[] {
  return told.flatMap(({ request, outcome, code, stays }) => {
    const aside = outcome === 'ended' && pushing && (code === 'run_failed' || code === 'run_cancelled')
    if (outcome === 'accepted' || aside || (outcome === 'unknown' && !stays)) return []
    return [problem('unanswered', `${request} was told ${code ?? 'nothing'} in the end`)]
  })
}

/** A question or an answer that is there twice, or two answers of one task to one question. */
function doubles({ stored }: History): Problem[] {
  const seen = new Set<string>()
  return stored.lines.flatMap((line) => {
    const what = withoutAttempt(line)
    if (!seen.has(what)) {
      seen.add(what)
      return []
    }
    return [problem('duplicated', `${line} is a second ${what}`)]
  })
}

/**
 * Every request has left its block: whole if it was accepted, whole or nothing if unknown, the beginning of it if it may have
 * ended without an answer: pushed aside, or failed for good with nobody there to go on with it.
 */
function blocksWrong({ told, stored, block, pushing }: History): Problem[] {
  const blocks = blocksOf(stored.lines)
  const places = new Map(blocks.map(({ request }, index) => [request, index]))
  const strangers = blocks.filter(({ request }) => !told.some((each) => each.request === request))
  const wrong = told.flatMap(({ request, outcome }) => {
    const own = blocks.find((each) => each.request === request)?.lines ?? []
    const found = own.map(withoutAttempt)
    const whole = block(request)
    const begins = found.every((line, index) => line === whole[index])
    const open = pushing || found.length === 0 || hasFailed(stored, own.at(-1))
    const mayEnd = outcome === 'ended' || (outcome === 'unknown' && open)
    const fits = begins && (found.length === whole.length || mayEnd)
    return fits ? [] : [problem('different', `${request} (${outcome}) left [${found}] and not [${whole}]`)]
  })
  const overtaken = told.flatMap((later) =>
    told.flatMap((earlier) => {
      if (earlier.outcome !== 'accepted' || earlier.answeredAt > later.askedAt || earlier === later) return []
      const place = places.get(later.request)
      if (place === undefined || place >= (places.get(earlier.request) ?? -1)) return []
      return [problem('disordered', `${later.request} stands before ${earlier.request}, asked after its answer`)]
    }),
  )
  return [...strangers.map(({ request }) => problem('different', `nobody asked ${request}`)), ...wrong, ...overtaken]
}

/** Whether the run that left a line says that it failed. */
function hasFailed({ branch, runs }: Stored, line = ''): boolean {
  const left = branch.find(({ lines }) => lines.includes(line))
  return runs.some(({ run, status }) => run === left?.run && status === 'error')
}

/** Cut at every question. */
export function blocksOf(lines: readonly string[]): { request: string; lines: string[] }[] {
  const blocks: { request: string; lines: string[] }[] = []
  for (const line of lines) {
    if (line.startsWith('ask:') || blocks.length === 0) blocks.push({ request: requestOf(line), lines: [] })
    blocks.at(-1)?.lines.push(line)
  }
  return blocks
}

/** T1 and T7: what a stream says of checkpoints and of the end is so; what it says of a message is of one attempt. */
function untruths({ told, stored }: History): Problem[] {
  return told.flatMap(({ request, outcome, streams }) => {
    const last = streams.at(-1) ?? []
    // An answer that was there before the request came has no events.
    const unsaid = outcome === 'accepted' && last.length > 0 && last.at(-1)?.type !== 'run-finished'
    return [
      ...(unsaid ? [problem('untrue', `${request} was answered, and its stream ended with ${last.at(-1)?.type}`)] : []),
      ...streams.flatMap((events) => streamUntruths(request, events, stored)),
    ]
  })
}

function streamUntruths(request: string, events: readonly RunEvent[], stored: Stored): Problem[] {
  const problems: Problem[] = []
  const say = (what: string) => problems.push(problem('untrue', `the stream of ${request} ${what}`))
  const texts = new Map<string, string>()
  let ended = false
  let started: RunStarted | undefined
  for (const event of events) {
    if (ended) say(`went on with ${event.type} after its end`)
    // Whoever follows a run may see one claim after another: only what the last one says is kept.
    if (event.type === 'run-started') {
      started = event
      texts.clear()
    }
    if (event.type === 'reply-started') {
      if (texts.has(event.messageId)) say(`began message ${event.messageId} twice`)
      if (!event.messageId.includes(`:${started?.epoch}.`)) say(`named message ${event.messageId} by another claim`)
      texts.set(event.messageId, '')
    }
    if (event.type === 'text-delta') texts.set(event.messageId, `${texts.get(event.messageId) ?? '?'}${event.text}`)
    if (event.type === 'checkpoint-saved' || event.type === 'run-finished') {
      const kept = stored.checkpoint(event.seq)
      const pruned = event.seq < (stored.branch[0]?.seq ?? 0)
      if (pruned && kept === undefined) continue
      if (!equal(kept?.lines, linesOf(event.values))) say(`told checkpoint ${event.seq} otherwise than it is stored`)
      if (event.type === 'checkpoint-saved' && kept?.step !== event.step) say(`told the step of ${event.seq} wrong`)
    }
    ended ||= event.type === 'run-finished' || event.type === 'run-failed'
  }
  if (events.at(-1)?.type === 'run-finished') {
    for (const [id, text] of texts)
      if (text !== '' && !stored.lines.includes(text)) say(`said ${text} in ${id}, which is not kept`)
  }
  return problems
}

function unfinished({ thread, runs }: Stored): Problem[] {
  const live = runs.filter(({ status }) => status === 'queued' || status === 'running' || status === 'dead')
  const open = live.map(({ run, status }) => problem('unfinished', `run ${run} is ${status}`))
  return thread?.status === 'busy' ? [...open, problem('unfinished', 'the thread is busy')] : open
}

/** Checkpoints follow their parents, steps of a run each other. */
function gaps({ branch, thread }: Stored): Problem[] {
  const problems: Problem[] = []
  const say = (what: string) => problems.push(problem('gap', what))
  const seen = new Set<string>()
  let before: Checkpoint | undefined
  for (const current of branch) {
    const { seq, parent, run, step } = current
    // Of a thread that was pruned the first is not the root.
    if (before !== undefined && parent !== before.seq) say(`${seq} does not follow ${before.seq}`)
    if (run === before?.run && step !== before.step + 1 && step !== 0) say(`${run} went from ${before.step} to ${step}`)
    if (step > 0 && seen.has(`${run} ${step}`)) say(`run ${run} has step ${step} twice`)
    seen.add(`${run} ${step}`)
    before = current
  }
  if ((thread?.head ?? 0) !== (before?.seq ?? 0)) say(`the head is ${thread?.head} and not ${before?.seq}`)
  return problems
}

/** A run's answer is its last checkpoint. */
function answersWrong({ branch, runs }: Stored): Problem[] {
  const last = new Map(branch.map((checkpoint) => [checkpoint.run, checkpoint]))
  return runs.flatMap(({ run, status, answer, step }) => {
    const own = last.get(run)
    if (status !== 'success' || step === 0 || own === undefined || (own.seq === answer && own.step === step)) return []
    return [problem('gap', `run ${run} names ${answer} as its answer, and ends at ${own.seq}`)]
  })
}

/** T9: every answer was done outside by the attempt that gave it, and whatever was done twice was done under one key. */
function keysWrong({ calls, stored }: History): Problem[] {
  const keys = new Map<string, string>()
  const problems: Problem[] = []
  for (const { key, of, task } of calls) {
    const place = `${task}:${of}`
    const known = keys.get(place) ?? key
    if (known !== key) problems.push(problem('key', `${place} came under ${known} and under ${key}`))
    keys.set(place, key)
  }
  const tasks = new Set(calls.map(({ task }) => task))
  const done = new Set(calls.map(({ task, of, number }) => `${task}:${of}#${number}`))
  for (const line of stored.lines) {
    if (tasks.has(line.split(':')[0] ?? '') && !done.has(line))
      problems.push(problem('key', `${line} was answered and never done outside`))
  }
  return problems
}

/** What is in the thread was sent, at least once and under one id; what is not was not. */
function messagesWrong({ sends, delivered, stored }: History): Problem[] {
  if (!sends) return []
  const answered = blocksOf(stored.lines).flatMap(({ request, lines }) => (lines.length > 1 ? [request] : []))
  const missing = answered.filter((request) => !delivered.some(({ of }) => of === request))
  const untrue = delivered.filter(({ of }) => !answered.includes(of))
  const ids = new Set(delivered.map(({ id, of }) => `${of} ${id}`))
  return [
    ...missing.map((request) => problem('message', `the message of ${request} was never delivered`)),
    ...untrue.map(({ of }) => problem('message', `a message of ${of} was delivered, which is not in the thread`)),
    ...(ids.size > new Set(delivered.map(({ of }) => of)).size
      ? [problem('message', `one message went out under two ids: ${[...ids].join(', ')}`)]
      : []),
  ]
}

function equal(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((line, index) => line === b[index])
}

function problem(kind: Problem['kind'], what: string): Problem {
  return { kind, what }
}
