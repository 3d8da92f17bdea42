// A node's second argument: everything it may use. No globals, no AsyncLocalStorage.
import { RecollectError } from '../kernel/errors.ts'
import type { AssistantMessage, Message, Model, ToolDescription } from '../ports/model.ts'
import type { Emit } from './events.ts'
import { replyOf } from './reply.ts'

/** The bindings that `compile` was given. Name yours: `declare module 'recollect' { interface Env { API_KEY: string } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: it is empty until an application fills it by declaration merging.
export interface Env {}

/** What a node and a tool may use. */
export interface Context {
  readonly tenant: string
  /** The thread's owner. */
  readonly user: string
  /** `undefined` for a run without a thread. */
  readonly thread: string | undefined
  readonly run: string
  /** Superstep in the run, from 1. */
  readonly step: number
  readonly node: string
  /** From 1. */
  readonly attempt: number
  /** The same for every attempt of this task, also after a crash: give it to services that take one. */
  readonly idempotencyKey: string
  /** Aborts when the attempt has timed out, or the run is cancelled or taken over. */
  readonly signal: AbortSignal
  readonly env: Env
  /** The model that `compile` was given. Throws `model_missing` when there is none. */
  readonly model: NodeModel
  /** Tells whoever watches the run. */
  emit(name: string, data: unknown): void
}

export interface ReplyOptions {
  readonly tools?: readonly ToolDescription[]
  /** Goes before the messages, and into no thread. */
  readonly system?: string
  readonly temperature?: number
  readonly maxOutputTokens?: number
}

export interface NodeModel {
  /** The model's answer to `messages`; its text is streamed to whoever watches. */
  reply(messages: readonly Message[], options?: ReplyOptions): Promise<AssistantMessage>
}

/** What all tasks of a run share. */
export interface RunScope {
  readonly tenant: string
  readonly user: string
  readonly thread: string | undefined
  readonly run: string
  /** A promise while the claim is only hoped for. */
  readonly epoch: number | Promise<number>
  readonly env: Env
  readonly model: Model | undefined
  readonly signal: AbortSignal
  readonly emit: Emit
}

export interface TaskPlace {
  readonly step: number
  readonly index: number
  readonly node: string
  readonly attempt: number
}

/** The context of one attempt. It is closed when the attempt is over: what a node says after its time is nobody's. */
export class TaskContext implements Context {
  readonly #scope: RunScope
  readonly #place: TaskPlace
  #aborting: AbortController | undefined
  #closed = false
  #replies = 0

  constructor(scope: RunScope, place: TaskPlace) {
    this.#scope = scope
    this.#place = place
  }

  get tenant() {
    return this.#scope.tenant
  }
  get user() {
    return this.#scope.user
  }
  get thread() {
    return this.#scope.thread
  }
  get run() {
    return this.#scope.run
  }
  get env() {
    return this.#scope.env
  }
  get step() {
    return this.#place.step
  }
  get node() {
    return this.#place.node
  }
  get attempt() {
    return this.#place.attempt
  }
  get idempotencyKey() {
    return `${this.#scope.run}:${this.#place.step}:${this.#place.index}`
  }

  /** Made on first use: most nodes never ask, and it is dearer than the rest of a superstep. */
  get signal(): AbortSignal {
    if (this.#aborting === undefined) {
      this.#aborting = new AbortController()
      if (this.#closed) this.#aborting.abort(this.#tooLate())
    }
    return AbortSignal.any([this.#aborting.signal, this.#scope.signal])
  }

  get model(): NodeModel {
    const { model } = this.#scope
    if (model === undefined) {
      throw new RecollectError(
        'model_missing',
        `Node "${this.node}" uses the model, but the graph was compiled without one. Pass it: compile({ model: … }).`,
      )
    }
    return { reply: (messages, options = {}) => this.#reply(model, messages, options) }
  }

  /** A getter, so that it may be taken out of the context: `({ emit }) => …`. */
  get emit(): Context['emit'] {
    return (name, data) => {
      if (this.#closed) return
      this.#scope.emit({ type: 'custom-emitted', step: this.step, node: this.node, name, data })
    }
  }

  /** Ends the attempt: aborts its signal and silences it. */
  close(reason?: unknown): void {
    this.#closed = true
    this.#aborting?.abort(reason ?? this.#tooLate())
  }

  #reply(model: Model, messages: readonly Message[], { system, tools = [], ...rest }: ReplyOptions) {
    const { run, epoch } = this.#scope
    const { step, index, attempt } = this.#place
    const reply = ++this.#replies
    // The epoch is in the id so that two attempts at one answer, by two workers, are never spliced into one (T7).
    const idWith = (claim: number) => `${run}:${step}:${index}:${claim}.${attempt}.${reply}`
    const before: readonly Message[] = system === undefined ? [] : [{ id: 'system', role: 'system', content: system }]
    return replyOf(
      model,
      { messages: [...before, ...messages], tools, signal: this.signal, ...rest },
      {
        messageId: typeof epoch === 'number' ? idWith(epoch) : epoch.then(idWith),
        step,
        node: this.node,
        emit: (event) => (this.#closed ? undefined : this.#scope.emit(event)),
      },
    )
  }

  #tooLate() {
    return new RecollectError('run_cancelled', `Node "${this.node}" is no longer awaited.`)
  }
}
