// Turns a second of one Worker under `wrangler dev`, with 1, 16 and 64 threads at once, and whose CPU they cost.
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../local/free-port.ts'
import { tokenFor } from '../local/secrets.ts'
import { type LocalWorker, startWorker } from '../local/worker.ts'
import type { Load, LoadResult } from './load.ts'
import type { Said } from './load-process.ts'
import { percentiles, rounded } from './percentile.ts'
import { type MachineTime, machineTime, processTimes, timeBelow } from './processor-time.ts'
import type { ServerChoices } from './servers.ts'
import { type TemporaryServices, temporaryServices } from './stack.ts'

const levels = [1, 16, 64]
const warmUpMs = 4_000
const measuredMs = 10_000

export async function throughput(choices: ServerChoices): Promise<Record<string, unknown>> {
  if (machineTime() === undefined) process.stderr.write('There is no /proc here: whose CPU was used is left out.\n')
  const services = await temporaryServices(choices, { chunkDelayMs: 0 })
  const { directory: data, variables, secrets } = services
  const worker = await startWorker({ port: await freePort(), data, variables })
  try {
    await worker.ready().catch((error) => {
      process.stderr.write(worker.said())
      throw error
    })
    const token = await tokenFor(secrets, { tenant: 'bench', user: 'bench', scopes: ['chat'] })
    const figures: Record<string, unknown> = {}
    for (const threads of levels) {
      const load = { base: worker.base, token, threads, warmUpMs, measuredMs }
      figures[threads] = level(threads, await underLoad(load, () => spent(worker, services)))
    }
    return { ...figures, storage: { postgres: kind(choices.postgres), redis: kind(choices.redis) } }
  } finally {
    await worker.stop()
    await services.close()
  }
}

const kind = (server: boolean) => (server ? 'server' : 'embedded')

interface UnderLoad {
  readonly result: LoadResult
  /** CPU time while it was measured, in milliseconds, by who spent it. */
  readonly processorMs: Readonly<Record<string, number>>
  /** Of the whole machine; absent where it is not known. */
  readonly machine: MachineTime | undefined
}

function level(threads: number, { result, processorMs, machine }: UnderLoad) {
  const { turnMs, firstTokenMs, failures } = result
  const turns = turnMs.length
  if (turns === 0) throw new Error(`No turn ended well with ${threads} threads. ${failures[0] ?? ''}`)
  const { p50: p50Ms, p95: p95Ms } = percentiles(turnMs)
  const ours = Object.values(processorMs).reduce((sum, ms) => sum + ms, 0)
  const cores = (ms: number) => rounded(ms / result.measuredMs)
  return {
    turnsPerSecond: rounded((turns * 1_000) / result.measuredMs),
    p50Ms,
    p95Ms,
    firstTokenMs: percentiles(firstTokenMs),
    turns,
    failed: failures.length,
    processorMsPerTurn: Object.fromEntries(Object.entries(processorMs).map(([who, ms]) => [who, rounded(ms / turns)])),
    // What others on the machine took is to be seen: with much of it the figures are not worth keeping.
    ...(machine && {
      cores: { bench: cores(ours), others: cores(Math.max(0, machine.busyMs - ours)), idle: cores(machine.idleMs) },
    }),
  }
}

/** CPU time so far in milliseconds. */
function spent({ pid }: LocalWorker, { servers }: TemporaryServices): Record<string, number> {
  const { user, system } = process.cpuUsage()
  const standIns = (user + system) / 1_000
  const times = processTimes()
  if (times.length === 0) return { standIns }
  // Two instances of workerd: one is the Worker's, the other passes requests on to it.
  const worker = timeBelow(times, pid, 'workerd')
  const real = Object.entries(servers).map(([name, server]) => [`${name}Server`, timeBelow(times, server)])
  return { worker, wrangler: timeBelow(times, pid) - worker, standIns, ...Object.fromEntries(real) }
}

/** Runs the load in a process of its own, and finds what was spent between its warm-up and its end. */
async function underLoad(load: Load, spentSoFar: () => Record<string, number>): Promise<UnderLoad> {
  const program = fileURLToPath(new URL('./load-process.ts', import.meta.url))
  const client = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const take = (): Moment => {
    const ofClient = processTimes().find(({ pid }) => pid === client.pid)
    return { spent: { ...spentSoFar(), ...(ofClient && { client: ofClient.ms }) }, machine: machineTime() }
  }
  const measured = Promise.withResolvers<Omit<UnderLoad, 'result'>>()
  const measure = async () => {
    const before = take()
    await sleep(load.measuredMs)
    measured.resolve(between(before, take()))
  }
  const result = await new Promise<LoadResult>((resolve, reject) => {
    client.once('error', reject)
    client.once('exit', (code) => reject(new Error(`The process that makes the load ended with ${code}.`)))
    client.on('message', (said: Said) => ('result' in said ? resolve(said.result) : void measure()))
    client.send(load)
  })
  return { result, ...(await measured.promise) }
}

interface Moment {
  readonly spent: Readonly<Record<string, number>>
  readonly machine: MachineTime | undefined
}

function between(before: Moment, after: Moment): Omit<UnderLoad, 'result'> {
  const processorMs = Object.entries(after.spent).map(([who, ms]) => [who, ms - (before.spent[who] ?? 0)])
  return {
    processorMs: Object.fromEntries(processorMs),
    machine: before.machine &&
      after.machine && {
        busyMs: after.machine.busyMs - before.machine.busyMs,
        idleMs: after.machine.idleMs - before.machine.idleMs,
      },
  }
}
