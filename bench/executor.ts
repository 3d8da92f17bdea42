// What the executor itself costs, in µs per node step: nodes that do nothing, no network.
import { memoryCheckpointer } from '../src/adapters/memory/index.ts'
import { append, type CompiledGraph, last, StateGraph, send } from '../src/index.ts'
import { rounded } from './percentile.ts'

const rounds = 7
const runsPerRound = 500
const steps = 10
const tasks = 100

export async function executor(): Promise<Record<string, unknown>> {
  const linear = linearGraph()
  return {
    linear10: {
      none: { usPerStep: await microseconds(linear.compile(), steps) },
      memory: { usPerStep: await microseconds(linear.compile({ checkpointer: memoryCheckpointer() }), steps, true) },
    },
    fanout100: { none: { usPerTask: await microseconds(fanOutGraph().compile(), tasks) } },
  }
}

function linearGraph() {
  const nodes: Record<string, (state: { readonly count: number }) => Promise<{ count: number }>> = {}
  const edges: Record<string, string> & { start: string } = { start: 'n0' }
  for (let index = 0; index < steps; index++) {
    nodes[`n${index}`] = async ({ count }) => ({ count: count + 1 })
    if (index + 1 < steps) edges[`n${index}`] = `n${index + 1}`
  }
  return new StateGraph({ state: { count: last(0) }, nodes, edges })
}

function fanOutGraph() {
  const items = Array.from({ length: tasks }, (_, index) => index)
  return new StateGraph({
    state: { item: last(0), done: append<number>() },
    nodes: { work: async ({ item }) => ({ done: item }) },
    edges: { start: () => items.map((item) => send('work', { item })) },
  })
}

/** The best of several rounds: on a shared machine the others measure the neighbours. */
async function microseconds(app: Pick<CompiledGraph, 'run'>, per: number, threads = false): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    for (let index = 0; index < runsPerRound; index++) {
      await app.run({}, threads ? { tenant: 'bench', user: 'bench', thread: `t${round}-${index}` } : {})
    }
    best = Math.min(best, ((performance.now() - startedAt) * 1_000) / runsPerRound / per)
  }
  return rounded(best)
}
