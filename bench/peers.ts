// recollect beside LangGraph.js with its PostgresSaver: the same Postgres server, model, texts and distance, in one run.
import { writeFile } from 'node:fs/promises'
import { neon } from '@neondatabase/serverless'
import { Client } from 'pg'
import { installedPeers } from './peers/installed.ts'
import { lostTurns } from './peers/lost.ts'
import { costByLength } from './peers/plot.ts'
import { recollectContestants } from './peers/recollect.ts'
import { type Contestants, measureRows, type Plan } from './peers/rows.ts'
import { startWires, type Wires } from './peers/wires.ts'
import { percentile, rounded } from './percentile.ts'

const peer = '@langchain/langgraph'
const crowd = { threads: 50, atOnce: 2 }
/** At which turns meet each other. */
const crowdRoundTripMs = 5
const pings = 30

/** As many turns as fit into a row's time: of a long thread, whose turns take seconds, ten must do. */
export const plan: Plan = {
  lengths: [1, 100, 1_000],
  roundTripsMs: [0, 5, 20],
  rounds: { least: 10, most: 30, rowMs: 12_000 },
}

export interface PeersOptions {
  /** Where to draw what a turn costs as its thread grows. */
  readonly plot?: string | undefined
}

export async function peers({ plot }: PeersOptions = {}, measured = plan): Promise<Record<string, unknown>> {
  const packages = await installedPeers()
  const wires = await startWires()
  try {
    const { langGraph } = await import('./peers/langgraph.ts')
    const theirs = await langGraph(wires)
    try {
      const contestants = {
        ...recollectContestants(wires),
        theirs: theirs.contestant('async'),
        theirsExit: theirs.contestant('exit'),
      }
      process.stderr.write('To warm up:\n')
      await warmUp(contestants)
      process.stderr.write('Measured:\n')
      const rows = (await measureRows(contestants, measured, wires.setRoundTrip)).map((row) => {
        return { ...row, ratio: rounded(row.theirs.p50Ms / row.ours.p50Ms, 2) }
      })
      if (plot !== undefined) await writeFile(plot, costByLength(rows))
      return {
        peer: { name: peer, version: packages[peer], packages },
        rows,
        lost: await losses(contestants, wires),
        statementMs: await statementTimes(wires, measured.roundTripsMs),
      }
    } finally {
      await theirs.close()
    }
  } finally {
    await wires.close()
  }
}

/** Code is compiled by running it: the first turns of either would measure that. */
async function warmUp(contestants: Contestants<string>): Promise<void> {
  const brief: Plan = { lengths: [1], roundTripsMs: [0], rounds: { least: 20, most: 20, rowMs: 0 } }
  await measureRows(contestants, brief, () => {})
}

async function losses(contestants: Contestants<'ours' | 'theirs'>, wires: Wires) {
  wires.setRoundTrip(crowdRoundTripMs)
  const ours = await lostTurns(contestants.ours, crowd)
  const theirs = await lostTurns(contestants.theirs, crowd)
  return {
    ours: ours.lost,
    theirs: theirs.lost,
    acknowledged: { ours: ours.acknowledged, theirs: theirs.acknowledged },
    ...crowd,
  }
}

/** The median of `select 1` over each wire: whether the distance is what was said, and what the wire itself costs. */
async function statementTimes(wires: Wires, roundTripsMs: readonly number[]) {
  const sql = neon(wires.urls.neon)
  const client = new Client({ connectionString: wires.urls.postgres })
  await client.connect()
  const ask = { ours: () => sql.query('select 1'), theirs: () => client.query('select 1') }
  const times = []
  for (const rttMs of roundTripsMs) {
    wires.setRoundTrip(rttMs)
    times.push({ rttMs, ours: await median(ask.ours), theirs: await median(ask.theirs) })
  }
  await client.end()
  return times
}

async function median(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < pings; count++) {
    const startedAt = performance.now()
    await ask()
    times.push(performance.now() - startedAt)
  }
  return rounded(percentile(times, 0.5), 2)
}
