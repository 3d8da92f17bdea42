// A node's second argument: everything it may use. No globals, no AsyncLocalStorage.
import type { Interrupt, InterruptTerms } from '../graph/interrupt.ts'
import type { BoundStore } from '../memory/bound-store.ts'
import type { BoundMemory } from '../memory/memory.ts'
import type { RecalledRef } from '../memory/recalled-text.ts'
import type { AssistantMessage, Message, ToolDescription } from '../ports/model.ts'

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
  /** What `compile` was given; `{}` unless told otherwise. */
  readonly env: Env
  /** The model that `compile` was given. Throws `model_missing` when there is none. */
  readonly model: NodeModel
  /** The long-term store that `compile` was given, with the tenant's items. Throws `store_missing` when there is none. */
  readonly store: BoundStore
  /** The store under one namespace: `memory('users', user).recall(text)`. Throws `store_missing`, and `id_invalid` for what is no namespace. */
  readonly memory: (...namespace: readonly string[]) => BoundMemory
  /** Tells whoever watches the run, as `custom-emitted`. Once the attempt is over it does nothing. */
  emit(name: string, data: unknown): void
  /**
   * Does a part of the node once: what `make` gives is kept in the thread under the key, and given again when the node runs
   * again, after a failure, a crash or an answer. A call that was made and could not be kept is made again. Throws `id_invalid` for a
   * key that is not 1 to 256 characters, `state_unserializable` for what is not plain data, `run_fenced`, and what `make` throws.
   */
  task<Value>(key: string, make: () => Value | Promise<Value>): Promise<Value>
  /**
   * Asks a person, and gives their answer. Until it is there the run waits, for days if need be: nothing of the node goes on, and
   * its signal aborts. Answered, the node runs again from its top and gets the answer here. A node that asks otherwise the second
   * time asks anew: an answer is for exactly what was shown. Throws `approval_expired` when nobody has answered in time,
   * `interrupt_unknown` for a question that the node does not name, `thread_missing` without a thread.
   */
  interrupt<Payload, Answer>(
    question: Interrupt<Payload, Answer>,
    payload: Payload,
    terms?: InterruptTerms,
  ): Promise<Answer>
  /**
   * Sends a message to the outside: it is recorded with what the node writes, or not at all, and delivered at least once, to
   * the handler that `compile({ deliver })` has for the topic. Throws `topic_unknown`, `thread_missing` without a thread, and
   * `state_unserializable` for what is not plain data.
   */
  outbox(topic: string, payload: unknown): void
}

export interface ReplyOptions {
  /** What it may call. None unless given. */
  readonly tools?: readonly ToolDescription[]
  /** Goes before the messages, and into no thread. */
  readonly system?: string
  /**
   * What was recalled, as a channel keeps it: read again, and put before the last message of the person, as data with its source
   * beside it. It goes into no thread.
   */
  readonly recalled?: readonly RecalledRef[]
  /** What came before the messages, in short. Goes before them, as data, and into no thread. */
  readonly summary?: { readonly id: string; readonly text: string } | undefined
  /** True: whoever watches is not told of it. For what is not said to the person. */
  readonly silent?: boolean
  /** As the model's service takes it. Its own unless told otherwise. */
  readonly temperature?: number
  /** Tokens of the answer at most. As many as the model's service allows unless told otherwise. */
  readonly maxOutputTokens?: number
}

export interface NodeModel {
  /**
   * The model's answer to `messages`; its text is streamed to whoever watches. Throws `model_failed`, `model_refused`, and with
   * `recalled` what the store throws, `store_missing`, and `item_forbidden` for what the person may not read.
   */
  reply(messages: readonly Message[], options?: ReplyOptions): Promise<AssistantMessage>
}
