// A graph with all it needs to run: what an application calls.
import type { Channels, StateOf } from '../graph/channel.ts'
import { emptyPosition, type Position } from '../graph/checkpoint.ts'
import type { Comparison } from '../graph/compare.ts'
import type { Graph } from '../graph/graph.ts'
import { mermaid } from '../graph/mermaid.ts'
import { stateView } from '../graph/plan.ts'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal } from '../kernel/id.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'
import type { Orphan } from '../ports/checkpointer.ts'
import { type Answerer, type GivenAnswer, type TakenAnswer, takeAnswer } from './answering.ts'
import type { Deliverer } from './delivery.ts'
import { eventStream } from './event-stream.ts'
import type { RunEvent } from './events.ts'
import { endOfRun, type FollowOptions, followRun } from './follow.ts'
import { runForgotten } from './forgotten-run.ts'
import { beforeTheFirst, type HistoryPage, readHistory, type StateSnapshot, type ThreadAddress } from './history.ts'
import { type House, houseOf } from './house.ts'
import { later } from './later.ts'
import { type Attendance, attendance, type CompileOptions, type ResumeOptions, type RunOptions } from './options.ts'
import { unknownThread } from './refusal.ts'
import { remembering } from './remembering.ts'
import type { RunResult } from './run-result.ts'
import { compareCheckpoints, copyThread, type ThreadUpdate, updateThread } from './time-travel.ts'
import { cancelTurn, takeTurn } from './turn.ts'
import { type TurnResult, unattended } from './turn-request.ts'
import { type NewInput, turnRunOf } from './turn-run.ts'

/** What `compile` gives. Threads need a checkpointer: without one `checkpointer_missing` is thrown where a thread is named. */
export class CompiledGraph<C extends Channels = Channels> {
  readonly name: string
  readonly graph: Graph
  readonly #options: CompileOptions
  /** `undefined`: this graph remembers nothing. */
  readonly #house: House | undefined

  constructor(graph: Graph, options: CompileOptions) {
    this.graph = graph
    this.#options = options
    this.name = options.name ?? 'default'
    assertId('graph', this.name)
    this.#house = houseOf(this.name, graph, options)
  }

  /**
   * Runs to the end and gives the state. `null` goes on where the thread stopped. Throws `run_interrupted` when it comes to no end
   * because somebody has to answer: `run` says what.
   */
  async invoke(input: NewInput<C>, options: RunOptions = {}): Promise<StateOf<C>> {
    const { status, run, interrupts, values } = await this.run(input, options)
    if (status === 'success') return values
    throw new RecollectError(
      'run_interrupted',
      `The run stopped before its end${interrupts.length === 0 ? '' : ` and waits for ${interrupts.length} answers`}. Use run, which gives what it asks, and resume with the answers.`,
      { details: { run, interrupts } },
    )
  }

  /** The same as events. The run goes on when the reader stops reading, unless `signal` aborts it. */
  stream(input: NewInput<C>, options: RunOptions = {}): AsyncIterable<RunEvent> {
    return eventStream((emit) => this.run(input, { ...options, emit }))
  }

  /**
   * Runs to the end. Throws what the run failed with; the thread stays usable and keeps the input. `thread_busy` when another run holds
   * the thread, with `retryAfterMs`; `run_queued` when it stays in line; `run_interrupted` when the thread waits for answers;
   * `input_invalid`, `thread_missing`, `thread_unknown`, `checkpoint_unknown`, `key_reused`.
   */
  async run(input: unknown, options: RunOptions = {}): Promise<RunResult<C>> {
    const run = turnRunOf(this.graph, input, { ...this.#options, ...options })
    const house = this.#houseFor(options)
    if (house === undefined) return this.#runWithoutThread(input, run.id, options)
    const address = this.#address(options)
    const createThread = options.createThread ?? true
    const result = await takeTurn(house, { ...address, run, createThread, ...attendance(options) })
    if (result === undefined) throw unknownThread(address.thread)
    return this.#result(result, options)
  }

  /**
   * Takes the answers, by id, to what a run has asked, and runs it to its end. The caller is trusted to be who may answer; `answer`
   * asks who they are. Throws what `answer` throws, and what the run failed with.
   */
  async resume(answers: Readonly<Record<string, unknown>>, options: ResumeOptions): Promise<RunResult<C>> {
    const { tenant, user, by = user ?? tenant } = options
    const answerer = { tenant, user, by, approver: true, via: options.via ?? 'code' }
    let approval: ApprovalRecord | undefined
    for (const [id, answer] of Object.entries(answers)) {
      approval = (await this.answer(answerer, { id, answer })).approval
    }
    if (approval === undefined) throw new RecollectError('input_invalid', 'No answers were given: { [id]: answer }.')
    return this.goOn({ tenant, user, thread: approval.thread }, approval.run, options)
  }

  /** Runs what was answered, or was left behind, to its end. Throws what it failed with, `thread_unknown` and `run_unknown`. */
  async goOn(address: ThreadAddress, run: string, options: Attendance = {}): Promise<RunResult<C>> {
    const house = this.#threads(address)
    const request = { ...unattended, ...attendance(options), ...address, run: undefined, watching: run }
    const result = await takeTurn(house, request)
    return result?.run === run ? this.#result(result, options) : this.result(address, run, options)
  }

  /** Waits for the end of a run, wherever it works. Throws what it failed with, and `run_queued` when the reader leaves before. */
  async result(address: ThreadAddress, run: string, options: FollowOptions = {}): Promise<RunResult<C>> {
    const { status, interrupts, seq, values } = await endOfRun(this.follow(address, run, options), run)
    return { run, status, interrupts, checkpoint: `${seq}`, values: values as StateOf<C> }
  }

  /**
   * Takes an answer. The run that has asked is due then: the cron, or `goOn`, runs it. Throws `input_invalid`, `interrupt_unknown`, and
   * `approval_` `unknown`, `early`, `forbidden`, `answered`, `expired`, `cancelled`.
   */
  answer(answerer: Answerer, given: GivenAnswer): Promise<TakenAnswer> {
    const { checkpointer } = this.#threads({})
    return takeAnswer(checkpointer, (name) => (name === this.name ? this.graph : undefined), answerer, given)
  }

  /** The same graph for runs that nobody remembers. */
  withoutThreads(): CompiledGraph<C> {
    const { checkpointer: _checkpointer, cache: _cache, events: _events, extract: _extract, ...options } = this.#options
    return new CompiledGraph<C>(this.graph, options)
  }

  /** Finishes a run whose worker is gone, or that was answered. False: somebody else did. */
  async finish({ tenant, thread, run }: Omit<Orphan, 'graph'>, options: Attendance = {}): Promise<boolean> {
    const house = this.#houseFor({ thread })
    if (house === undefined) return false
    const deferred: Promise<unknown>[] = []
    const defer = (work: Promise<unknown>) => deferred.push(work)
    const attended = { ...unattended, ...attendance({ record: true, ...options }), defer, watching: run }
    try {
      const result = await takeTurn(house, { ...attended, tenant, thread, user: null, run: undefined })
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
    const house = this.#threads({ thread })
    await cancelTurn(house, { ...unattended, tenant, thread, user }, run)
  }

  /**
   * What a run tells, wherever it works: what the event log has of it so far, then the rest, to its end. Whoever follows a run
   * that is left behind goes on with it. Throws `run_unknown`, of an unknown thread too.
   */
  follow(address: ThreadAddress, run: string, options: FollowOptions = {}): AsyncGenerator<RunEvent, void> {
    return followRun(this.#threads(address), address, run, options)
  }

  /** What delivers this graph's messages. */
  get deliverer(): Deliverer {
    const { deliver = {}, env = {} } = this.#options
    return { deliver: this.#house?.deliver ?? deliver, env }
  }

  /** The thread's head, or one of its checkpoints. Throws `thread_unknown` and `checkpoint_unknown`. */
  async state(address: ThreadAddress, checkpoint?: string): Promise<StateSnapshot<C>> {
    const [snapshot] = await this.history(address, { limit: 1, ...(checkpoint !== undefined && { from: checkpoint }) })
    return snapshot ?? { ...beforeTheFirst, values: this.#view(emptyPosition) }
  }

  /** The branch that leads to the head (or to `from`, or to before `before`), newest first. Empty for a thread without a run. Throws as `state` does. */
  async history(address: ThreadAddress, page: HistoryPage = {}): Promise<readonly StateSnapshot<C>[]> {
    const checkpoints = await readHistory(this.#threads(address).checkpointer, address, page)
    return checkpoints.map(({ position, ...checkpoint }) => ({ ...checkpoint, values: this.#view(position) }))
  }

  /**
   * Writes into a thread from outside: a new checkpoint, and nothing is run. With `from` it is a fork: the head moves to it, and the
   * other branch stays readable. What a waiting run has asked is withdrawn. Throws `thread_busy`, `checkpoint_unknown`.
   */
  async update(address: ThreadAddress, update: ThreadUpdate): Promise<RunResult<C>> {
    return this.#result(await updateThread(this.#threads(address), address, update), {})
  }

  /** What is different between two checkpoints of a thread. Throws as `state` does. */
  compare(address: ThreadAddress, between: { readonly from: string; readonly to: string }): Promise<Comparison> {
    return compareCheckpoints(this.#threads(address).checkpointer, address, between)
  }

  /** A thread with the same checkpoints under a new id. Throws `thread_unknown` and `thread_exists`. */
  copy(address: ThreadAddress, copy: string): Promise<void> {
    return copyThread(this.#threads(address), address, copy)
  }

  /** The graph as a Mermaid flowchart. */
  draw(): string {
    return mermaid(this.graph)
  }

  #view(position: Position): StateOf<C> {
    return stateView(this.graph, position.values) as StateOf<C>
  }

  async #result(
    { run, status, interrupts, seq, position, afterwards }: TurnResult,
    { waitUntil }: Attendance,
  ): Promise<RunResult<C>> {
    if (waitUntil === undefined) await afterwards()
    else waitUntil(later(afterwards))
    return { run, status, interrupts, checkpoint: String(seq), values: this.#view(position) }
  }

  #threads({ thread }: Partial<ThreadAddress>): House {
    const house = this.#houseFor(thread === undefined ? {} : { thread })
    if (house !== undefined) return house
    throw checkpointerMissing(thread === undefined ? 'A thread' : `Thread "${thread}"`)
  }

  /** `undefined`: this graph remembers nothing, and nobody names a thread. */
  #houseFor({ thread }: Partial<ThreadAddress>): House | undefined {
    if (this.#house !== undefined || thread === undefined) return this.#house
    throw checkpointerMissing(`Thread "${thread}"`)
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
    const { model, store, sharedNamespaces = [], env = {}, deepFreeze = false } = this.#options
    const { tenant = '', user = '', signal = new AbortController().signal } = options
    const { emit, defer } = attendance(options)
    const place = { tenant, user, run, env, model, signal, emit, deepFreeze }
    const memory = remembering({ store, sharedNamespaces }, defer)
    const position = await runForgotten(this.graph, input, { ...place, remembering: memory })
    return { run, status: 'success', interrupts: [], checkpoint: undefined, values: this.#view(position) }
  }
}

function checkpointerMissing(what: string): RecollectError {
  return new RecollectError('checkpointer_missing', `${what} needs a checkpointer: compile({ checkpointer: … }).`)
}
