// A thread of branches driven at random beside its model: by one writer, or two at once.
import { isDeepStrictEqual } from 'node:util'
import { memoryCache } from '../src/adapters/memory/index.ts'
import { append, channel, command, isRecollectError, last, StateGraph } from '../src/index.ts'
import type { Checkpointer } from '../src/ports/index.ts'
import { ForkModel, type Op, route, type Told, turned } from './fork-model.ts'
import { colour, ForkOps } from './fork-ops.ts'
import { inLanes } from './lanes.ts'
import type { Random } from './random.ts'

function graph() {
  return new StateGraph({
    state: {
      log: append<string>(),
      word: last(''),
      list: channel({
        initial: (): readonly number[] => [],
        reduce: (_: readonly number[], to: readonly number[]) => to,
      }),
      pad: last(''),
    },
    nodes: {
      a: ({ list }, { run }) => ({ log: `a:${run}`, list: turned(list) }),
      ask: {
        interrupts: [colour],
        run: async ({ word }, { run, interrupt }) => {
          const answer = await interrupt(colour, word)
          if (answer === 'bad') throw new Error('bad')
          return { log: `ask:${run}=${answer}` }
        },
      },
      b: ({ word }, { run }) => {
        if (word === 'fail') throw new Error('fail')
        return { log: `b:${run}` }
      },
      c: ({ list }, { run }) => ({ log: `c:${run}`, list: list.toReversed() }),
    },
    edges: { start: 'a', a: ({ word }) => route(word), ask: 'c', b: 'c' },
  })
}

type App = ReturnType<ReturnType<typeof graph>['compile']>

interface Place {
  readonly tenant: string
  readonly user: string
  readonly thread: string
}

interface Done {
  readonly told: Told
  /** What an update's run is called. */
  readonly run?: string
}

/** Of two at once, one may come too late. */
const refusals = ['thread_busy', 'run_interrupted', 'approval_cancelled', 'approval_answered']

export interface TreeOptions {
  readonly checkpointer: Checkpointer
  readonly random: Random
  readonly tenant: string
  readonly operations: number
}

/** Gives how many checkpoints it has made. Throws where thread and model differ. */
export async function growTree({ checkpointer, random, tenant, operations }: TreeOptions): Promise<number> {
  const at = { tenant, user: 'ada', thread: 'tree' }
  const tree = new ForkTree(checkpointer, random, at, new ForkModel())
  for (let count = 0; count < operations; count++) await (random.chance(0.25) ? tree.two() : tree.one())
  await tree.check()
  await checkpointer.threads.copy({ tenant, thread: 'tree', owner: at.user }, 'copy')
  const copy = new ForkTree(checkpointer, random, { ...at, thread: 'copy' }, tree.model.copy())
  for (let count = 0; count < 4; count++) await copy.one()
  await copy.check()
  await tree.check()
  return copy.model.last
}

class ForkTree {
  readonly model: ForkModel
  readonly #at: Place
  /** Of two isolates, with one cache, or none. */
  readonly #apps: readonly [App, App]
  readonly #checkpointer: Checkpointer
  readonly #random: Random
  readonly #ops: ForkOps
  /** Every question that was ever asked. */
  readonly #asked = new Set<string>()
  #open: string | undefined

  constructor(checkpointer: Checkpointer, random: Random, at: Place, model: ForkModel) {
    this.model = model
    this.#at = at
    this.#checkpointer = checkpointer
    this.#random = random
    this.#ops = new ForkOps(random, at.thread)
    const cache = random.chance(0.5) ? { cache: memoryCache() } : {}
    const app = () => graph().compile({ checkpointer, ...cache })
    this.#apps = [app(), app()]
  }

  /** One writer: it is told what the model says. */
  async one(): Promise<void> {
    const op = this.#ops.any(this.#open !== undefined, this.model)
    const done = await this.#do(this.#apps[this.#random.int(2)] ?? this.#apps[0], op)
    same([op, done.told], [op, this.model.apply(named(op, done))])
    await this.#checkHead()
  }

  /** Two at once: each is refused for a reason, or has done all that it was asked for, one after the other. */
  async two(): Promise<void> {
    const { last, waiting } = this.model
    const lasting = () => this.#ops.lasting(this.#open !== undefined, last)
    const ops = [lasting(), lasting()]
    const told = await Promise.all(ops.map((op, index) => this.#do(this.#apps[index] ?? this.#apps[0], op)))
    const done = ops.flatMap((op, index) => {
      const one = told[index]
      return one === undefined || refusals.includes(one.told) ? [] : [{ op: named(op, one), told: one.told }]
    })
    const stays = ops.every((op) => waiting && op.kind === 'input' && !op.push && op.from === undefined)
    if (done.length === 0 && !stays) same([ops, told], 'that one of them is not refused')
    const order = await this.#orderSince(last)
    const place = (op: Op) =>
      order.indexOf((op.kind === 'answer' ? waiting?.run : op.kind === 'cancel' ? '' : op.run) ?? '')
    done.sort((one, other) => place(one.op) - place(other.op))
    for (const { op, told } of done) same([ops, op, told], [ops, op, this.model.apply(op)])
    await this.#checkHead()
  }

  /** Runs in the order of their checkpoints: which of two was first nobody else can say. */
  async #orderSince(last: number): Promise<string[]> {
    const order: string[] = []
    for (let seq = last + 1; ; seq++) {
      const state = await this.#apps[0].state(this.#at, `${seq}`).catch(() => undefined)
      if (state === undefined) return order
      if (order.at(-1) !== state.run) order.push(state.run)
    }
  }

  async #do(app: App, op: Op): Promise<Done> {
    try {
      const { status: told, run, interrupts } = await this.#call(app, op)
      for (const { id } of interrupts) {
        // A question is asked once: what was asked before, on this branch or another, is not asked again.
        if (id !== this.#open && this.#asked.has(id)) same([op, id], 'another question than before')
        this.#asked.add(id)
      }
      return { told, run }
    } catch (error) {
      if (!isRecollectError(error)) throw error
      return { told: error.code }
    }
  }

  async #call(app: App, op: Op) {
    const at = this.#at
    if (op.kind === 'answer') return app.resume({ [this.#open ?? '']: op.answer }, at)
    if (op.kind === 'cancel') {
      const run = this.model.waiting?.run ?? ''
      await app.cancel(at, run)
      return { status: 'success', run, interrupts: [] }
    }
    const from = op.from === undefined ? {} : { from: `${op.from}` }
    if (op.kind === 'update') {
      const as = op.asNode === undefined ? {} : { asNode: op.asNode }
      return app.update(at, { ...from, values: op.values, ...as })
    }
    const place = { ...at, ...from, run: op.run }
    if (op.kind === 'onward') return app.run(null, place)
    if (op.kind === 'goto') return app.run(command({ update: op.values, goto: op.node }), place)
    return app.run(op.values, { ...place, strategy: op.push ? 'enqueue' : 'reject' })
  }

  async #checkHead(): Promise<void> {
    const { head, branch, waiting } = this.model
    const history = await this.#apps[1].history(this.#at, { limit: 1_000 })
    same(
      history.map(({ checkpoint }) => Number(checkpoint)),
      branch,
    )
    const { tenant, thread } = this.#at
    const search = { tenant, owner: null, thread, run: null, status: 'pending', limit: 100, offset: 0 } as const
    const open = await this.#checkpointer.approvals.list(search)
    same(
      open.map(({ run, seq }) => [run, seq]),
      waiting === undefined ? [] : [[waiting.run, head]],
    )
    this.#open = open[0]?.id
  }

  /** Every checkpoint, also of branches that were left long ago. */
  async check(): Promise<void> {
    const { head, last, waiting } = this.model
    const seqs = Array.from({ length: last }, (_, index) => index + 1)
    await inLanes(seqs, 4, async (seq) => {
      const state = await this.#apps[0].state(this.#at, `${seq}`)
      const { parent, values, next, run, step, interrupts } = state
      const found = { parent: Number(parent ?? 0), run, step, values, next }
      same([seq, found, interrupts.length], [seq, this.model.at(seq), waiting !== undefined && seq === head ? 1 : 0])
    })
    const more = await this.#apps[0].state(this.#at, `${last + 1}`).catch(() => undefined)
    if (more !== undefined) same(more.checkpoint, 'no more checkpoints')
  }
}

function named(op: Op, { run }: Done): Op {
  return op.kind === 'update' && run !== undefined ? { ...op, run } : op
}

function same(found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Error(`expected ${shown(expected)}, and found ${shown(found)}`)
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'string' && part.length > 100 ? part.length : part))
}
