// A graph with all it needs to run: what an application calls.
import { checkInput } from '../graph/apply.ts'
import type { Channels, StateOf, UpdateOf } from '../graph/channel.ts'
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Graph } from '../graph/graph.ts'
import { mermaid } from '../graph/mermaid.ts'
import { stateView } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal, randomId } from '../kernel/id.ts'
import type { Orphan } from '../ports/checkpointer.ts'
import type { Deliverer } from './delivery.ts'
import { eventStream } from './event-stream.ts'
import type { RunEvent } from './events.ts'
import { type FollowOptions, followRun } from './follow.ts'
import { runForgotten } from './forgotten-run.ts'
import { harmless } from './harmless.ts'
import { type HistoryPage, readHistory, type StateSnapshot, type ThreadAddress } from './history.ts'
import { later } from './later.ts'
import type { CompileOptions, RunOptions } from './options.ts'
import { unknownThread } from './refusal.ts'
import { cancelTurn, type House, takeTurn, unattended } from './turn.ts'

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
      ...{ createThread: options.createThread ?? true, signal: options.signal, handOver: options.handOver },
      ...{ left: options.left, record: options.record ?? false, watching: undefined, emit: harmless(options.emit) },
      defer: options.waitUntil ?? (() => {}),
    })
    if (result === undefined) throw unknownThread(thread)
    if (options.waitUntil === undefined) await result.afterwards()
    else options.waitUntil(later(result.afterwards))
    return { run: result.run, checkpoint: String(result.seq), values: this.#view(result.position) }
  }

  /** The same graph for runs that nobody remembers. */
  withoutThreads(): CompiledGraph<C> {
    const { checkpointer: _checkpointer, cache: _cache, events: _events, ...options } = this.#options
    return new CompiledGraph<C>(this.graph, options)
  }

  /** Finishes a run whose worker is gone. False: somebody else did. */
  async finish({ tenant, thread }: Pick<Orphan, 'tenant' | 'thread'>): Promise<boolean> {
    const house = this.#house({ thread })
    if (house === undefined) return false
    const deferred: Promise<void>[] = []
    const defer = (work: Promise<void>) => deferred.push(work)
    try {
      const result = await takeTurn(house, { ...unattended, defer, tenant, thread, user: null, run: undefined })
      await result?.afterwards()
      return result !== undefined
    } finally {
      await Promise.all(deferred)
    }
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

  /**
   * What a run tells, wherever it works: what the event log has of it so far, then the rest, to its end. Whoever follows a run
   * that is left behind goes on with it. Throws `thread_unknown` and `run_unknown`.
   */
  follow(address: ThreadAddress, run: string, options: FollowOptions = {}): AsyncGenerator<RunEvent, void> {
    const house = this.#house(address)
    if (house === undefined) throw checkpointerMissing(`Thread "${address.thread}"`)
    return followRun(house, address, run, options)
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
      events,
      model,
      env = {},
      deepFreeze = false,
      speculate = true,
      leaseMs = 60_000,
      deliver = {},
      passOn,
      threadTtlMs,
      keepCheckpoints,
    } = this.#options
    if (checkpointer !== undefined) {
      return {
        ...{ name: this.name, graph: this.graph, checkpointer, cache, model, env, deepFreeze, speculate, leaseMs },
        ...{ events, deliver, topics: Object.keys(deliver), passOn, threadTtlMs, keepCheckpoints },
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

function checkpointerMissing(what: string): RecollectError {
  return new RecollectError('checkpointer_missing', `${what} needs a checkpointer: compile({ checkpointer: … }).`)
}
