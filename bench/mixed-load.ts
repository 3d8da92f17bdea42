// Conversations in which people send a second message before the first is answered, and the model calls this throws away.
import { setTimeout as sleep } from 'node:timers/promises'
import { type BusyStrategy, type CompiledGraph, isRecollectError, user } from '../src/index.ts'
import type { Stack } from './stack.ts'

const mix = {
  threads: 100,
  atOnce: 10,
  turnsPerThread: 10,
  /** Shares of the turns that meet a second one on the same thread. */
  enqueue: 0.1,
  interrupt: 0.1,
  /** The second one comes so long after the first, at most. */
  secondWithinMs: 400,
  /** Between an answer and the next message, at most. */
  pauseMs: 500,
}

interface Counts {
  turns: number
  answered: number
  interrupted: number
  failed: number
  /** Turns that held their thread, by what became of their guess. Each asks the model once, besides a guess that was dropped. */
  started: { kept: number; dropped: number; none: number }
}

export async function mixedLoad(running: Stack, graph: CompiledGraph, name: string) {
  const counts: Counts = {
    turns: 0,
    answered: 0,
    interrupted: 0,
    failed: 0,
    started: { kept: 0, dropped: 0, none: 0 },
  }
  const random = randomFrom(11)
  running.taken()
  const waiting = Array.from({ length: mix.threads }, (_, index) => `${name}-mixed-${index}`)
  const work = async () => {
    for (let thread = waiting.pop(); thread !== undefined; thread = waiting.pop())
      await conversation(graph, thread, random, counts)
  }
  await Promise.all(Array.from({ length: mix.atOnce }, work))
  const modelCalls = running.taken().model.length
  const { kept, dropped, none } = counts.started
  const thrownAway = modelCalls - (kept + dropped + none)
  return { ...counts, modelCalls, thrownAwayPer1000: Math.round((thrownAway * 1_000) / counts.turns), mix }
}

async function conversation(graph: CompiledGraph, thread: string, random: () => number, counts: Counts) {
  const afterwards: Promise<unknown>[] = []
  const turn = (text: string, strategy: BusyStrategy) => oneTurn({ graph, thread, text, strategy, afterwards }, counts)
  for (let index = 0; index < mix.turnsPerThread; index++) {
    const first = turn(`Hello, for the ${index}. time.`, 'enqueue')
    const kind = random()
    const waitMs = random() * mix.secondWithinMs
    if (kind < mix.enqueue + mix.interrupt) {
      await sleep(waitMs)
      await turn('And one thing more.', kind < mix.enqueue ? 'enqueue' : 'interrupt')
    }
    await first
    await sleep(random() * mix.pauseMs)
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

/** The same every time, so that on and off meet the same people. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
