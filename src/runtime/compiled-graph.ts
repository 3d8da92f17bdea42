// A graph with all it needs to run: what an application calls.
import { checkInput } from '../graph/apply.ts'
import type { Channels, StateOf, UpdateOf } from '../graph/channel.ts'
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { mermaid } from '../graph/mermaid.ts'
import { stateView } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal, randomId } from '../kernel/id.ts'
import type { Cache } from '../ports/cache.ts'
import type { BusyStrategy, Checkpointer, Orphan } from '../ports/checkpointer.ts'
import type { Model } from '../ports/model.ts'
import type { Env } from './context.ts'
import type { Deliver, Deliverer } from './delivery.ts'
import { eventStream } from './event-stream.ts'
import type { Emit, RunEvent } from './events.ts'
import { runForgotten } from './forgotten-run.ts'
import { harmless } from './harmless.ts'
import { type HistoryPage, readHistory, type StateSnapshot, type ThreadAddress } from './history.ts'
import { later } from './later.ts'
import { unknownThread } from './refusal.ts'
import { cancelTurn, type House, type TurnRequest, takeTurn } from './turn.ts'

export interface CompileOptions {
  /** Remembers threads. Without one every run starts from nothing. */
  readonly checkpointer?: Checkpointer
  /** Saves the load of a thread. */
  readonly cache?: Cache
  readonly model?: Model
  readonly env?: Env
  /** The graph's name in stored runs. `default` unless told otherwise. */
  readonly name?: string
  /** Freeze all that nodes see, for tests and development; arrays and their elements always are. */
  readonly deepFreeze?: boolean
  /** False: nothing runs before its thread is claimed. What a wrong guess throws away still costs its prompt. */
  readonly speculate?: boolean
  /** How long a silent worker keeps its thread, in milliseconds. 60,000 unless told otherwise. */
  readonly leaseMs?: number
  /** Who delivers what nodes put in the outbox, by topic. */
  readonly deliver?: Readonly<Record<string, Deliver>>
  /** How long a thread that a run makes lives after its last turn, in milliseconds. Until it is deleted unless told otherwise. */
  readonly threadTtlMs?: number
  /** About how many checkpoints are kept of a branch: between so many and twice as many, and what is needed to read them. All unless told otherwise. */
  readonly keepCheckpoints?: number
}

export interface RunOptions extends Partial<ThreadAddress> {
  readonly user?: string
  /** This run's id; random unless given. */
  readonly run?: string
  /** The same key in the same thread is the same run: it is answered again, not run again. */
  readonly key?: string
  /** What to do on a thread that is busy with another run. `reject` unless told otherwise. */
  readonly strategy?: BusyStrategy
  /** False: an unknown thread is an error. */
  readonly createThread?: boolean
  /** Aborting it cancels the run. */
  readonly signal?: AbortSignal
  /** Aborting it gives the run back: another worker goes on from the last commit. */
  readonly handOver?: AbortSignal
  /** Takes what may happen after the answer (a Worker's `ctx.waitUntil`). Without it the answer waits. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  readonly emit?: Emit
}

export interface RunResult<C extends Channels> {
  readonly run: string
  /** Public id of the checkpoint that holds the answer; absent without a thread. */
  readonly checkpoint: string | undefined
  readonly values: StateOf<C>
}

export class CompiledGraph<C extends Channels = Channels> {
  readonly name: string
  readonly graph: Graph
  readonly #options: CompileOptions

  constructor(graph: Graph, options: CompileOptions) {
    this.graph = graph
    this.name = options.name ?? 'default'
    this.#options = options
    assertId('graph', this.name)
  }

  /** Runs to the end and gives the state. `null` goes on where the thread stopped. */
  async invoke(input: UpdateOf<C> | null, options: RunOptions = {}): Promise<StateOf<C>> {
    return (await this.run(input, options)).values
  }

  /** The same as events. The run goes on when the reader stops reading, unless `signal` aborts it. */
  stream(input: UpdateOf<C> | null, options: RunOptions = {}): AsyncIterable<RunEvent> {
    return eventStream((emit) => this.run(input, { ...options, emit }))
  }

  /**
   * Runs to the end. Throws what the run failed with; the thread stays usable and keeps the input.
   * `thread_busy` when another run holds the thread, with `retryAfterMs`.
   */
  async run(input: unknown, options: RunOptions = {}): Promise<RunResult<C>> {
    if (input !== null) checkInput(this.graph, input)
    const run = options.run ?? randomId()
    assertId('run', run)
    const key = options.key ?? run
    assertPrincipal('idempotency key', key)
    const house = this.#house(options)
    if (house === undefined) return this.#runWithoutThread(input, run, options)
    const { tenant, user, thread } = this.#address(options)
    const result = await takeTurn(house, {
      tenant,
      user,
      thread,
      run: { id: run, input, key, strategy: options.strategy ?? 'reject' },
      createThread: options.createThread ?? true,
      signal: options.signal,
      handOver: options.handOver,
      emit: harmless(options.emit),
      defer: options.waitUntil ?? (() => {}),
    })
    if (result === undefined) throw unknownThread(thread)
    if (options.waitUntil === undefined) await result.afterwards()
    else options.waitUntil(later(result.afterwards))
    return { run: result.run, checkpoint: String(result.seq), values: this.#view(result.position) }
  }

  /** The same graph for runs that nobody remembers. */
  withoutThreads(): CompiledGraph<C> {
    const { checkpointer: _checkpointer, cache: _cache, ...options } = this.#options
    return new CompiledGraph<C>(this.graph, options)
  }

  /** Finishes a run whose worker is gone. False: somebody else did. */
  async finish({ tenant, thread }: Pick<Orphan, 'tenant' | 'thread'>): Promise<boolean> {
    const house = this.#house({ thread })
    if (house === undefined) return false
    const result = await takeTurn(house, { ...unattended, tenant, thread, user: null, run: undefined })
    await result?.afterwards()
    return result !== undefined
  }

  /**
   * Ends a run, wherever it works or waits in line. What it was sent with stays in the thread if it had begun. Throws
   * `thread_unknown` and `run_unknown`; a run that has ended is left as it is.
   */
  async cancel({ tenant, user, thread }: ThreadAddress, run: string): Promise<void> {
    const house = this.#house({ thread })
    if (house === undefined) throw checkpointerMissing(`Thread "${thread}"`)
    await cancelTurn(house, { ...unattended, tenant, thread, user }, run)
  }

  /** What delivers this graph's messages. */
  get deliverer(): Deliverer {
    const { deliver = {}, env = {} } = this.#options
    return { deliver, env }
  }

  /** The thread's head, or one of its checkpoints. */
  async state(address: ThreadAddress, checkpoint?: string): Promise<StateSnapshot<C>> {
    const [snapshot] = await this.history(address, { limit: 1, ...(checkpoint !== undefined && { from: checkpoint }) })
    if (snapshot !== undefined) return snapshot
    return {
      checkpoint: '0',
      parent: undefined,
      values: this.#view(emptyPosition),
      next: [],
      run: '',
      step: 0,
      createdAt: '',
    }
  }

  /** The branch that leads to the head (or to `from`, or to before `before`), newest first. Empty for a thread without a run. */
  async history(address: ThreadAddress, page: HistoryPage = {}): Promise<readonly StateSnapshot<C>[]> {
    const checkpointer = this.#options.checkpointer
    if (checkpointer === undefined) throw checkpointerMissing('Reading a thread')
    const checkpoints = await readHistory(checkpointer, address, page)
    return checkpoints.map(({ position, ...checkpoint }) => ({ ...checkpoint, values: this.#view(position) }))
  }

  /** The graph as a Mermaid flowchart. */
  draw(): string {
    return mermaid(this.graph)
  }

  #view(position: Position): StateOf<C> {
    return stateView(this.graph, position.values) as StateOf<C>
  }

  #house({ thread }: Partial<ThreadAddress>): House | undefined {
    const {
      checkpointer,
      cache,
      model,
      env = {},
      deepFreeze = false,
      speculate = true,
      leaseMs = 60_000,
      deliver = {},
      threadTtlMs,
      keepCheckpoints,
    } = this.#options
    if (checkpointer !== undefined) {
      return {
        ...{ name: this.name, graph: this.graph, checkpointer, cache, model, env, deepFreeze, speculate, leaseMs },
        ...{ deliver, topics: Object.keys(deliver), threadTtlMs, keepCheckpoints },
      }
    }
    if (thread !== undefined) throw checkpointerMissing(`Thread "${thread}"`)
    return undefined
  }

  #address({ tenant, user, thread }: RunOptions): { tenant: string; user: string; thread: string } {
    if (thread === undefined) {
      throw new RecollectError(
        'thread_missing',
        'This graph has a checkpointer, so a run needs a thread: pass { tenant, user, thread }. A fresh id for every call would remember nothing.',
      )
    }
    assertPrincipal('tenant', tenant)
    assertPrincipal('user', user)
    assertId('thread', thread)
    return { tenant, user, thread }
  }

  async #runWithoutThread(input: unknown, run: string, options: RunOptions): Promise<RunResult<C>> {
    const { model, env = {}, deepFreeze = false } = this.#options
    const { tenant = '', user = '', signal = new AbortController().signal } = options
    const place = { tenant, user, run, env, model, signal, emit: harmless(options.emit) }
    const position = await runForgotten(this.graph, input, { ...place, deepFreeze })
    return { run, checkpoint: undefined, values: this.#view(position) }
  }
}

/** Of a turn that no request waits for. */
const unattended: Omit<TurnRequest, 'tenant' | 'user' | 'thread' | 'run'> = {
  createThread: false,
  signal: undefined,
  handOver: undefined,
  emit: () => {},
  defer: () => {},
}

function checkpointerMissing(what: string): RecollectError {
  return new RecollectError('checkpointer_missing', `${what} needs a checkpointer: compile({ checkpointer: … }).`)
}
