// A node's second argument: everything it may use. No globals, no AsyncLocalStorage.

import type { SentMessage } from '../graph/task-writes.ts'
import { didYouMean, RecollectError } from '../kernel/errors.ts'
import { encode } from '../kernel/json.ts'
import type { AssistantMessage, Message, Model, ToolDescription } from '../ports/model.ts'
import type { Emit } from './events.ts'
import { replyOf } from './reply.ts'
import type { Superstep } from './superstep.ts'
import { assertPartKey, type TaskParts } from './task-parts.ts'

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
  /**
   * Does a part of the node once: what `make` gives is kept in the thread under the key, and given again when the node runs
   * again, after a failure, a crash or an answer. A call that was made and could not be kept is made again.
   */
  task<Value>(key: string, make: () => Value | Promise<Value>): Promise<Value>
  /**
   * Sends a message to the outside: it is recorded with what the node writes, or not at all, and delivered at least once, to
   * the handler that `compile({ deliver })` has for the topic.
   */
  outbox(topic: string, payload: unknown): void
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

/** What only whoever holds the thread knows. */
export interface Held {
  readonly epoch: number
  readonly parts: TaskParts
}

export function isHeld(held: Held | Promise<Held>): held is Held {
  return !(held instanceof Promise)
}

/** What all tasks of a run share. */
export interface RunScope {
  readonly tenant: string
  readonly user: string
  readonly thread: string | undefined
  readonly run: string
  /** A promise while the claim is only hoped for. */
  readonly held: Held | Promise<Held>
  /** What the outbox takes; `undefined`: this run has none. */
  readonly topics: readonly string[] | undefined
  readonly env: Env
  readonly model: Model | undefined
  readonly signal: AbortSignal
  readonly emit: Emit
}

export interface TaskPlace extends Superstep {
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
  /** What goes with the node's writes. */
  readonly sent: SentMessage[] = []

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
    return `${this.#place.name.run}:${this.#place.name.step}:${this.#place.index}`
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

  /** Nothing is made before the claim is kept: it may have an effect. */
  get task(): Context['task'] {
    return async <Value>(key: string, make: () => Value | Promise<Value>) => {
      assertPartKey(key, this.node)
      const { parts } = await this.#scope.held
      if (this.#closed) throw this.#tooLate()
      const { step, index } = this.#place
      // It was encoded from what `make` gave, by this version or an older one of the node.
      return (await parts.once({ step, task: index, key }, make)) as Value
    }
  }

  get outbox(): Context['outbox'] {
    return (topic, payload) => {
      if (this.#closed) return
      this.#assertTopic(topic)
      encode(payload)
      this.sent.push({ topic, payload })
    }
  }

  #assertTopic(topic: string): void {
    const { topics } = this.#scope
    if (topics === undefined) {
      throw new RecollectError(
        'thread_missing',
        `Node "${this.node}" uses the outbox, which is recorded in a thread: run the graph with a checkpointer and a thread.`,
      )
    }
    if (topics.includes(topic)) return
    throw new RecollectError(
      'topic_unknown',
      `Node "${this.node}" sends "${topic}", which nobody delivers${didYouMean(topic, topics)}. Say who does: compile({ deliver: { "${topic}": … } }).`,
    )
  }

  /** Ends the attempt: aborts its signal and silences it. */
  close(reason?: unknown): void {
    this.#closed = true
    this.#aborting?.abort(reason ?? this.#tooLate())
  }

  #reply(model: Model, messages: readonly Message[], { system, tools = [], ...rest }: ReplyOptions) {
    const { run, held } = this.#scope
    const { step, index, attempt } = this.#place
    const reply = ++this.#replies
    // The epoch is in the id so that two attempts at one answer, by two workers, are never spliced into one (T7).
    const idWith = (claim: number) => `${run}:${step}:${index}:${claim}.${attempt}.${reply}`
    const before: readonly Message[] = system === undefined ? [] : [{ id: 'system', role: 'system', content: system }]
    return replyOf(
      model,
      { messages: [...before, ...messages], tools, signal: this.signal, ...rest },
      {
        messageId: isHeld(held) ? idWith(held.epoch) : held.then(({ epoch }) => idWith(epoch)),
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
