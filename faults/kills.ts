// The deployed Worker, killed with SIGKILL at random moments under load: what was accepted is kept.
import { tokenFor } from '../local/secrets.ts'
import { memoryStore } from '../src/adapters/memory/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { support } from '../workers/support.ts'
import { type Problem, problemsOf, type Told } from './checker.ts'
import { owner } from './client.ts'
import { inLanes } from './lanes.ts'
import { pause } from './mode.ts'
import { looksUp, numberedModel } from './numbered-model.ts'
import type { Figures, PartOptions } from './part.ts'
import { seeded } from './random.ts'
import { type RealServices, realServices } from './services.ts'
import { readStored } from './stored.ts'
import { insistOnWire, type Wire } from './wire-client.ts'
import { scheduledPath, type Workerd, workerd } from './workerd.ts'

const killed = 100
const turnsPerKill = 6
const threads = 200
/** Half of those whose connection breaks come back; some at once, most when the lease of 60 s is over. */
const returning = 0.5
const longestAnswerMs = 400
const longestLifeMs = 800
const cronEveryMs = 5_000
const finishedWithinMs = 150_000
const tenant = 'kills'
const auth = 'kills-'.repeat(8)

export async function kills({ say }: PartOptions): Promise<Figures> {
  const random = seeded(1)
  const services = await realServices()
  const model = await numberedModel(random, longestAnswerMs)
  const settings = {
    OPENAI_API_KEY: 'none',
    OPENAI_BASE_URL: `${model.url}/v1`,
    OPENAI_MODEL: 'numbered',
    AUTH_SECRET: auth,
  }
  const worker = await workerd({ ...services.variables, ...settings })
  try {
    const token = await tokenFor({ auth }, { tenant, user: owner, scopes: ['chat'] })
    const patienceMs = 2 * finishedWithinMs
    const wire: Wire = { base: worker.base, token, assistant: 'support', lines: linesOf, patienceMs }
    const clients: Promise<Told>[] = []
    const threadOf = new Map<string, string>()
    for (let kill = 0; kill < killed; kill++) {
      for (let turn = 0; turn < turnsPerKill; turn++) {
        const name = `q${clients.length}`
        const thread = `t${random.int(threads)}`
        const backAfterMs = () => (random.chance(0.2) ? 500 : 60_000) + random.int(4_000)
        threadOf.set(name, thread)
        clients.push(insistOnWire(wire, { name, thread, returns: random.chance(returning), backAfterMs }))
      }
      await pause(random.int(longestLifeMs))
      await worker.kill()
      await worker.start()
    }
    const told = await finished(worker, services, clients)
    const names = [...new Set(threadOf.values())]
    const here = (thread: string) => told.filter(({ request }) => threadOf.get(request) === thread)
    const problems = (await inLanes(names, 10, (thread) => problemsIn(services, thread, here(thread)))).flat()
    return figuresOf(told, problems, say)
  } finally {
    await worker.close()
    await Promise.all([model.close(), services.close()])
  }
}

function figuresOf(told: readonly Told[], problems: readonly Problem[], say: PartOptions['say']): Figures {
  for (const { kind, what } of problems.slice(0, 10)) say(`kills: ${kind}: ${what}`)
  const of = (kind: Problem['kind']) => problems.filter((each) => each.kind === kind).length
  const accepted = told.filter(({ outcome }) => outcome === 'accepted').length
  const [lost, duplicated] = [of('lost'), of('duplicated')]
  return { kills: killed, turns: told.length, accepted, lost, duplicated, wrong: problems.length - lost - duplicated }
}

/** Calls the Worker's cron until no run is due and every client has its answer. */
async function finished(worker: Workerd, { pool }: RealServices, clients: readonly Promise<Told>[]): Promise<Told[]> {
  const all = Promise.all(clients)
  let answered = false
  const note = () => {
    answered = true
  }
  all.then(note, note)
  const until = performance.now() + finishedWithinMs
  while (performance.now() < until) {
    await fetch(worker.base + scheduledPath)
    const { rows } = await pool.query("select 1 from recollect.runs where status in ('queued', 'running') limit 1")
    if (rows.length === 0 && answered) break
    await pause(cronEveryMs)
  }
  return all
}

async function problemsIn({ storage }: RealServices, thread: string, told: readonly Told[]): Promise<Problem[]> {
  const { checkpointer } = storage
  const app = support.compile({ checkpointer, store: memoryStore(), model: scriptedModel(() => ''), name: 'support' })
  return problemsOf({
    ...{ told, stored: await readStored({ checkpointer, app, tenant, lines: linesOf }, thread) },
    ...{ calls: [], delivered: [], sends: false, pushing: false },
    block: (request) =>
      (looksUp(request) ? ['ask', 'calls', 'looked', 'reply'] : ['ask', 'reply']).map((line) => `${line}:${request}`),
  })
}

/** A message as it is stored, or as it is on the wire. */
interface SaidMessage {
  readonly role?: string
  readonly type?: string
  readonly content: string
  readonly toolCalls?: readonly { readonly arguments: string }[]
  readonly tool_calls?: readonly { readonly args: { readonly order: string } }[]
}

function linesOf(values: unknown): string[] {
  const { messages = [] } = values as { messages?: readonly SaidMessage[] }
  return messages.map(lineOf)
}

function lineOf({ role, type, content, toolCalls = [], tool_calls = [] }: SaidMessage): string {
  const [stored] = toolCalls
  if (stored !== undefined) return `calls:${(JSON.parse(stored.arguments) as { order: string }).order}`
  const [told] = tool_calls
  if (told !== undefined) return `calls:${told.args.order}`
  return (role ?? type) === 'tool' ? `looked:${/"(q\d+)"/.exec(content)?.[1]}` : content
}
