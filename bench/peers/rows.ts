// Side by side: every round makes one turn of each contestant, so that what the machine does besides meets all of them.
import { mean, percentile, rounded } from '../percentile.ts'
import { wordsFrom } from '../words.ts'
import { type Contestant, characters, type GraphName, graphs, type Traffic } from './contestant.ts'

export type Contestants<Name extends string> = Readonly<Record<Name, Contestant>>

export interface Plan {
  /** Turns that a thread has when it is measured. */
  readonly lengths: readonly number[]
  readonly roundTripsMs: readonly number[]
  /** A row ends after `most` rounds, or when its time is over and it has `least`. */
  readonly rounds: { readonly least: number; readonly most: number; readonly rowMs: number }
}

export type Figures = Traffic & { readonly p50Ms: number; readonly p95Ms: number }

export type Row<Name extends string> = Readonly<Record<Name, Figures>> & {
  readonly length: number
  readonly graph: GraphName
  readonly rttMs: number
  /** Measured of each. */
  readonly turns: number
}

interface Sample {
  readonly ms: number
  readonly traffic: Traffic
}

/** Gives the next thread to measure on, of those of one contestant. */
type Threads = () => string

export async function measureRows<Name extends string>(
  contestants: Contestants<Name>,
  plan: Plan,
  setRoundTrip: (ms: number) => void,
): Promise<Row<Name>[]> {
  const rows: Row<Name>[] = []
  for (const length of plan.lengths) {
    for (const graph of graphs) {
      setRoundTrip(0)
      const threads = await grown(contestants, graph, length, plan)
      for (const rttMs of plan.roundTripsMs) {
        setRoundTrip(rttMs)
        const { figures, turns } = await measured(contestants, graph, threads, plan.rounds)
        rows.push({ length, graph, rttMs, turns, ...figures } as Row<Name>)
        process.stderr.write(`length ${length}, ${graph}, ${rttMs} ms added: ${turns} turns of each\n`)
      }
    }
  }
  return rows
}

/** Measured turns go on where they are, so there are so many threads that none becomes longer by more than about a tenth. */
async function grown<Name extends string>(
  contestants: Contestants<Name>,
  graph: GraphName,
  length: number,
  { roundTripsMs, rounds }: Plan,
): Promise<Readonly<Record<Name, Threads>>> {
  const turns = roundTripsMs.length * (rounds.most + 1)
  const count = Math.ceil(turns / Math.max(1, length / 10))
  const threads = await forEach(contestants, async (contestant): Promise<Threads> => {
    const ids: string[] = []
    while (ids.length < count) {
      const more = Math.min(10, count - ids.length)
      ids.push(...(await Promise.all(Array.from({ length: more }, () => contestant.grow(graph, length)))))
    }
    let next = 0
    return () => ids[next++ % ids.length] ?? ''
  })
  return threads
}

async function measured<Name extends string>(
  contestants: Contestants<Name>,
  graph: GraphName,
  threads: Readonly<Record<Name, Threads>>,
  { least, most, rowMs }: Plan['rounds'],
) {
  const words = wordsFrom(11)
  const samples = await forEach<Name, Contestant, Sample[]>(contestants, async () => [])
  const names = Object.keys(contestants) as Name[]
  const startedAt = performance.now()
  // The first round is not counted: it opens connections that were closed meanwhile.
  for (let round = 0; round <= most; round++) {
    if (round > least && performance.now() - startedAt > rowMs) break
    // Each goes first as often as the others: garbage of the one before is collected at the cost of the next.
    for (const index of names.keys()) {
      const name = names[(index + round) % names.length] as Name
      const sample = await measure(contestants[name], graph, threads[name](), words(characters))
      if (round > 0) samples[name].push(sample)
    }
  }
  const figures = await forEach(samples, async (list: Sample[]) => figuresOf(list))
  return { figures, turns: Math.max(...names.map((name) => samples[name].length)) }
}

async function measure(contestant: Contestant, graph: GraphName, thread: string, text: string): Promise<Sample> {
  contestant.taken()
  const startedAt = performance.now()
  const { afterwards } = await contestant.turn(graph, thread, text)
  const ms = performance.now() - startedAt
  await afterwards
  return { ms, traffic: contestant.taken() }
}

const wholeBytes = ['bytes', 'sentBytes', 'receivedBytes', 'snapshotBytes', 'redisBytes'] as const
const counts = ['statements', 'redisCommands'] as const

/** Times are percentiles, all else is the mean of a turn; what a contestant does not have is left out. */
function figuresOf(samples: readonly Sample[]): Figures {
  const times = samples.map(({ ms }) => ms)
  const means: Partial<Record<keyof Traffic, number>> = {}
  for (const [names, digits] of [
    [counts, 2],
    [wholeBytes, 0],
  ] as const) {
    for (const name of names) {
      const values = samples.map(({ traffic }) => traffic[name]).filter((value) => value !== undefined)
      if (values.length > 0) means[name] = rounded(mean(values), digits)
    }
  }
  const { statements = 0, bytes = 0, sentBytes = 0, receivedBytes = 0, ...others } = means
  return {
    p50Ms: rounded(percentile(times, 0.5), 2),
    p95Ms: rounded(percentile(times, 0.95), 2),
    ...{ statements, bytes, sentBytes, receivedBytes },
    ...others,
  }
}

async function forEach<Name extends string, From, To>(
  record: Readonly<Record<Name, From>>,
  make: (from: From) => Promise<To>,
): Promise<Record<Name, To>> {
  const made = {} as Record<Name, To>
  for (const name of Object.keys(record) as Name[]) made[name] = await make(record[name])
  return made
}
