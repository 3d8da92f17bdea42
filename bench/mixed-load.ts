// Conversations in which people send a second message before the first is answered, and the model calls this throws away.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BusyStrategy, type CompiledGraph, isRecollectError, user } from '../src/index.ts'
import { randomIntegers, randomLimit } from './random.ts'
import type { Stack } from './stack.ts'

export interface Mix {
  readonly threads: number
  /** Shares of the turns that meet a second one on the same thread. */
  readonly enqueue: number
  readonly interrupt: number
}

const people = {
  atOnce: 10,
  turnsPerThread: 10,
  /** The second one comes so long after the first, at most. */
  secondWithinMs: 400,
  /** Between an answer and the next message, at most. */
  pauseMs: 500,
}

interface Counts {
  turns: number
  /** Of these, sent while another was being answered. */
  second: number
  answered: number
  interrupted: number
  failed: number
  /** Turns that held their thread, by what became of their guess. Each asks the model once, besides a guess that was dropped. */
  started: { kept: number; dropped: number; none: number }
}

export async function mixedLoad(running: Stack, graph: CompiledGraph, mix: Mix) {
  const counts: Counts = {
    turns: 0,
    second: 0,
    answered: 0,
    interrupted: 0,
    failed: 0,
    started: { kept: 0, dropped: 0, none: 0 },
  }
  const load = randomUUID()
  running.taken()
  let next = 0
  const work = async () => {
    while (next < mix.threads) {
      const index = next++
      await conversation({ graph, mix, thread: `${load}-${index}`, random: chance(index) }, counts)
    }
  }
  await Promise.all(Array.from({ length: people.atOnce }, work))
  const modelCalls = running.taken().model.length
  const { kept, dropped, none } = counts.started
  const thrownAway = modelCalls - (kept + dropped + none)
  return {
    ...counts,
    modelCalls,
    thrownAwayPer1000: Math.round((thrownAway * 1_000) / counts.turns),
    mix: { ...mix, ...people },
  }
}

interface Conversation {
  readonly graph: CompiledGraph
  readonly mix: Mix
  readonly thread: string
  readonly random: () => number
}

async function conversation({ graph, mix, thread, random }: Conversation, counts: Counts) {
  const afterwards: Promise<unknown>[] = []
  const turn = (text: string, strategy: BusyStrategy) => oneTurn({ graph, thread, text, strategy, afterwards }, counts)
  for (let index = 0; index < people.turnsPerThread; index++) {
    const first = turn(`Hello, for the ${index}. time.`, 'enqueue')
    const kind = random()
    const waitMs = random() * people.secondWithinMs
    const pauseMs = random() * people.pauseMs
    if (kind < mix.enqueue + mix.interrupt) {
      counts.second++
      await sleep(waitMs)
      await turn('And one thing more.', kind < mix.enqueue ? 'enqueue' : 'interrupt')
    }
    await first
    await sleep(pauseMs)
  }
  await Promise.all(afterwards)
}

interface OneTurn {
  readonly graph: CompiledGraph
  readonly thread: string
  readonly text: string
  readonly strategy: BusyStrategy
  /** What goes on after the answer; nobody who chats waits for it. */
  readonly afterwards: Promise<unknown>[]
}

async function oneTurn({ graph, thread, text, strategy, afterwards }: OneTurn, counts: Counts): Promise<void> {
  counts.turns++
  try {
    await graph.run(
      { messages: [user(text)] },
      {
        tenant: 'bench',
        user: 'bench',
        thread,
        strategy,
        waitUntil: (work) => afterwards.push(work),
        emit: (event) => {
          if (event.type === 'run-started') counts.started[event.speculation]++
        },
      },
    )
    counts.answered++
  } catch (error) {
    if (isRecollectError(error) && interruptions.has(error.code)) counts.interrupted++
    else {
      counts.failed++
      process.stderr.write(`A turn failed: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
}

/** What a run ends with that another one has interrupted. */
const interruptions = new Set(['run_cancelled', 'run_fenced'])

/** From 0 to 1. Each thread has its own, so that on and off meet the same people in whatever order. */
function chance(thread: number): () => number {
  const random = randomIntegers(thread * 7_919 + 1)
  // The first ones of neighbouring seeds are neighbours too.
  for (let index = 0; index < 8; index++) random()
  return () => random() / randomLimit
}
