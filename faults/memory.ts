// What is put, deleted, forgotten and extracted, broken at every call, in every way: what was said to be saved is there, what was said to
// be forgotten is found by no way; and once a sweep has run nothing of it is left, in no table and not in the index.
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { type Break, breaking, breakModes } from './memory-break.ts'
import { type Data, inMemory, onPostgres, type Place } from './memory-places.ts'
import { everyWay, namespace, type Process, processOn, waysTo } from './memory-process.ts'
import { type MemoryScenario, memoryScenarios } from './memory-scenarios.ts'
import type { Figures, PartOptions } from './part.ts'

export async function memory({ say }: PartOptions): Promise<Figures> {
  const inside = await brokenAt(inMemory(), say)
  if (postgresBinaries() === undefined) {
    say('memory is broken in memory only: apt-get install postgresql')
    return { ...inside, on: 'memory' }
  }
  const place = await onPostgres()
  try {
    return { ...(await brokenAt(place, say)), on: 'Postgres', memory: inside }
  } finally {
    await place.close()
  }
}

interface Choice {
  readonly scenarios: readonly MemoryScenario[]
  readonly modes: readonly Break['mode'][]
}

/** One case after another: the index is counted between them. */
export async function brokenAt(
  place: Place,
  say: PartOptions['say'],
  { scenarios = memoryScenarios, modes = breakModes }: Partial<Choice> = {},
) {
  let [cases, wrong] = [0, 0]
  for (const scenario of scenarios) {
    for (const broken of await breaksOf(place, scenario, modes)) {
      cases++
      const { problems } = await tried(place, scenario, broken)
      if (problems.length === 0) continue
      wrong++
      say(
        `memory in ${place.name}: WRONG in "${scenario.name}" after ${JSON.stringify(broken)}: ${problems.join('; ')}`,
      )
    }
  }
  return { cases, wrong }
}

/** It is done once with nothing wrong: that says which calls there are. */
async function breaksOf(place: Place, scenario: MemoryScenario, modes: Choice['modes']): Promise<Break[]> {
  const { problems, calls } = await tried(place, scenario, undefined)
  if (problems[0] !== undefined) throw new Error(`"${scenario.name}" goes wrong by itself: ${problems.join('; ')}`)
  return Array.from({ length: calls }, (_, at) => modes.map((mode) => ({ at, mode }))).flat()
}

let cases = 0

async function tried(place: Place, scenario: MemoryScenario, broken: Break | undefined) {
  const tenant = `memory-${process.pid}-${++cases}`
  const data = place.data(tenant)
  const whole = async (work: (process: Process) => Promise<unknown>) => {
    const process = processOn(data, tenant)
    await work(process)
    await process.settle()
  }
  for (const step of scenario.before) await whole(step)
  if (scenario.silent) await data.pass(quietMs)
  const seam = breaking(broken)
  const breaks = processOn(data, tenant, seam.io)
  const said = scenario.work(breaks).then(
    () => scenario.silent === undefined,
    () => false,
  )
  const done = (await seam.alive(said)) ?? false
  await seam.alive(breaks.settle())
  const calls = seam.calls.length
  const problems = await wrongNow(data, tenant, scenario, done)
  await recovered(data, tenant)
  problems.push(...(await wrongNow(data, tenant, scenario, done)))
  if (!done && !scenario.silent) {
    // Whoever was told no sends it again.
    await whole(scenario.work)
    await recovered(data, tenant)
    problems.push(...(await wrongNow(data, tenant, scenario, true)))
  }
  problems.push(...(await data.leftovers(nowhere(scenario))))
  if (scenario.silent) problems.push(...(await extractedWrongly(data, tenant)))
  if (broken !== undefined && !seam.met()) problems.push('the call was not reached')
  return { problems, calls }
}

/** What a put replaces is in its history still. */
function nowhere({ there = [], gone = [], unextracted = [] }: MemoryScenario): string[] {
  return [...gone.filter(({ key }) => !there.some((word) => word.key === key)).map(({ word }) => word), ...unextracted]
}

async function wrongNow(data: Data, tenant: string, scenario: MemoryScenario, done: boolean) {
  const { there = [], kept = [], gone = [] } = scenario
  const problems: string[] = []
  const expected = [
    ...there.map((word) => ({ word, wanted: everyWay, certain: done })),
    ...kept.map((word) => ({ word, wanted: everyWay, certain: true })),
    ...gone.map((word) => ({ word, wanted: [], certain: done })),
  ]
  for (const { word, wanted, certain } of expected) {
    const ways = await waysTo(data, tenant, word)
    // Not said to be done, it is done or not, but the same by every way.
    const right = certain ? [wanted] : [[], everyWay]
    if (!right.some((each) => each.join() === ways.join())) {
      problems.push(`"${word.word}" is found by [${ways.join()}]${done ? '' : ', and nothing was said of it'}`)
    }
  }
  return problems
}

const quietMs = 30_000
const hourMs = 3_600_000

/** What the cron does later. */
async function recovered(data: Data, tenant: string): Promise<void> {
  for (let time = 0; time < 4; time++) {
    await data.pass(hourMs)
    const process = processOn(data, tenant)
    await process.sweep()
    await process.settle()
  }
}

const facts = ['Deploys on Kubernetes.', 'Name is Ada.', 'Prefers dark mode.']

/** Three facts were said: each is there once, of one version, and the log says so. */
async function extractedWrongly(data: Data, tenant: string): Promise<string[]> {
  const { store } = processOn(data, tenant)
  const { items } = await store.search({ tenant, prefix: namespace, limit: 100, refresh: false })
  const found = items.map(({ text, version }) => `${text} (${version})`).toSorted()
  const log = await store.get({ tenant, namespace: ['extractions', namespace[1]], key: 't' })
  const did = JSON.stringify(log?.value.did ?? []).split('"action":"added"').length - 1
  const right = found.join() === facts.map((fact) => `${fact} (1)`).join() && did === facts.length
  return right ? [] : [`of three facts there are: ${found.join(' ')}, and ${did} are said to be added`]
}
