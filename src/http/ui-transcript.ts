// What a run tells, as one assistant message of the AI SDK; its id is the run's.
//
// Text cannot be taken back there. When a node is tried again, or its reply does not become a message of the thread, what
// the page has seen of it is void: its open tool calls end as errors, and a part `data-withdrawn` names the void parts by
// their places in the message, `{ parts: [1, 2] }`. A page that does not heed it shows them until it loads the messages anew.
//
// One step per superstep, not per reply: clients close all texts at `finish-step`, also those of parallel nodes.
import type { NewMessage } from '../agent/messages.ts'
import { isRecord } from '../kernel/json.ts'
import type { FinishReason } from '../ports/model.ts'
import type { CheckpointSaved, RunEvent } from '../runtime/events.ts'
import { problemOf } from './problem.ts'
import type { UiChunk } from './ui-chunks.ts'
import { inputOf, isMessage, messagesOf, outputOf, toolCallsOf } from './ui-messages.ts'

/** A reply as the page has seen it. */
interface Reply {
  readonly id: string
  readonly node: string
  readonly step: number
  /** Places of its parts in the message. */
  readonly parts: number[]
  readonly calls: Map<number, { readonly id: string; readonly name: string; text: string }>
  text: string
  speaking: boolean
  fate: 'open' | 'kept' | 'withdrawn'
}

/** Takes a run's events in order; the same events give the same chunks. */
export class UiTranscript {
  readonly #thread: string
  readonly #replies = new Map<string, Reply>()
  /** Messages from before this run. */
  readonly #older = new Set<string>()
  /** Calls that the page knows and that have no result yet. */
  readonly #openCalls = new Set<string>()
  #chunks: UiChunk[] = []
  #parts = 0
  #step: number | undefined
  #reason: FinishReason = 'stop'

  constructor(thread: string) {
    this.#thread = thread
  }

  chunksOf(event: RunEvent): readonly UiChunk[] {
    this.#take(event)
    return this.#taken()
  }

  /** The end of a turn that could not say it itself. */
  failed(error: unknown): readonly UiChunk[] {
    this.#fail(error)
    return this.#taken()
  }

  #take(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        return this.#say({
          type: 'start',
          messageId: event.run,
          messageMetadata: { threadId: this.#thread, runId: event.run },
        })
      case 'reply-started':
        this.#enter(event.step)
        this.#replies.set(event.messageId, newReply(event.messageId, event))
        return
      case 'text-delta':
        return this.#withReply(event, (reply) => this.#speak(reply, event.text))
      case 'tool-call-started':
        return this.#withReply(event, (reply) => this.#call(reply, event.index, event))
      case 'tool-call-delta':
        return this.#withReply(event, (reply) => this.#callFurther(reply, event.index, event.text))
      case 'reply-finished':
        this.#reason = event.reason
        return this.#withReply(event, (reply) => this.#finishReply(reply))
      case 'task-retried':
        return this.#withdraw(this.#open(event.step).filter(({ node }) => node === event.node))
      case 'custom-emitted':
        this.#parts++
        return this.#say({ type: `data-${event.name}`, data: sendable(event.data) })
      case 'checkpoint-saved':
        return this.#save(event)
      case 'run-finished':
        this.#leaveStep()
        return this.#say({
          type: 'finish',
          messageMetadata: { checkpointId: String(event.seq), finishReason: this.#reason },
        })
      case 'run-failed':
        return event.error.code === 'run_cancelled' ? this.#say({ type: 'abort' }) : this.#fail(event.error)
    }
  }

  #fail(error: unknown): void {
    const { code, detail } = problemOf(error)
    this.#say({ type: 'message-metadata', messageMetadata: { errorCode: code } }, { type: 'error', errorText: detail })
  }

  #say(...chunks: readonly UiChunk[]): void {
    this.#chunks.push(...chunks)
  }

  #taken(): readonly UiChunk[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  #enter(step: number): void {
    if (step === this.#step) return
    this.#leaveStep()
    this.#step = step
    this.#parts++
    this.#say({ type: 'start-step' })
  }

  #leaveStep(): void {
    if (this.#step !== undefined) this.#say({ type: 'finish-step' })
    this.#step = undefined
  }

  #withReply({ messageId }: { messageId: string }, act: (reply: Reply) => void): void {
    const reply = this.#replies.get(messageId)
    if (reply?.fate === 'open') act(reply)
  }

  #speak(reply: Reply, text: string): void {
    if (text === '') return
    if (!reply.speaking) {
      reply.speaking = true
      reply.parts.push(this.#parts++)
      this.#say({ type: 'text-start', id: reply.id })
    }
    reply.text += text
    this.#say({ type: 'text-delta', id: reply.id, delta: text })
  }

  #fallSilent(reply: Reply): void {
    if (reply.speaking) this.#say({ type: 'text-end', id: reply.id })
    reply.speaking = false
  }

  #call(reply: Reply, index: number, { id, name }: { readonly id: string; readonly name: string }): void {
    reply.calls.set(index, { id, name, text: '' })
    reply.parts.push(this.#parts++)
    this.#openCalls.add(id)
    this.#say({ type: 'tool-input-start', toolCallId: id, toolName: name })
  }

  #callFurther(reply: Reply, index: number, text: string): void {
    const call = reply.calls.get(index)
    if (call === undefined || text === '') return
    call.text += text
    this.#say({ type: 'tool-input-delta', toolCallId: call.id, inputTextDelta: text })
  }

  #finishReply(reply: Reply): void {
    this.#fallSilent(reply)
    for (const { id, name, text } of reply.calls.values()) {
      this.#say({ type: 'tool-input-available', toolCallId: id, toolName: name, input: inputOf(text) })
    }
  }

  /** Now it is known what has become of the superstep: results are told, what was not streamed is said, the rest is void. */
  #save({ step, values, writes }: CheckpointSaved): void {
    if (step === 0) for (const { id } of messagesOf(values)) this.#older.add(id)
    for (const message of writes.flatMap(({ update }) => listOf(update.messages))) {
      if (isRecord(message) && message.role === 'removed') this.#withdraw(this.#seen(message.id))
      else if (!isMessage(message)) continue
      else if (message.role === 'assistant') this.#keep(message, step)
      else if (message.role === 'tool') this.#answerCall(message)
    }
    this.#withdraw(this.#open(step))
  }

  #keep(message: NewMessage & { readonly role: 'assistant' }, step: number): void {
    const { id = `${step}.${this.#parts}`, content } = message
    if (this.#older.has(id)) return
    const copied = ({ text, calls }: Reply) => calls.size === 0 && text === content
    const [seen] = [...this.#seen(id), ...this.#open(step).filter(copied)]
    if (seen !== undefined) {
      seen.fate = 'kept'
      return
    }
    this.#enter(step)
    const reply = newReply(id, { step, node: '' })
    this.#replies.set(id, reply)
    this.#speak(reply, content)
    for (const [index, call] of toolCallsOf(message).entries()) {
      this.#call(reply, index, call)
      this.#callFurther(reply, index, call.arguments)
    }
    this.#finishReply(reply)
    reply.fate = 'kept'
  }

  /** Clients refuse a result of a call that they have not seen, as an older run's may be. */
  #answerCall({ toolCallId, status, content }: NewMessage & { readonly role: 'tool' }): void {
    if (!this.#openCalls.delete(toolCallId)) return
    this.#say(
      status === 'error'
        ? { type: 'tool-output-error', toolCallId, errorText: content }
        : { type: 'tool-output-available', toolCallId, output: outputOf(content) },
    )
  }

  /** Replies of this superstep of which nothing is known yet. */
  #open(step: number): Reply[] {
    return [...this.#replies.values()].filter((reply) => reply.step === step && reply.fate === 'open')
  }

  #seen(id: unknown): Reply[] {
    return [...this.#replies.values()].filter((reply) => reply.id === id && reply.fate !== 'withdrawn')
  }

  #withdraw(replies: readonly Reply[]): void {
    for (const reply of replies) {
      reply.fate = 'withdrawn'
      this.#fallSilent(reply)
      for (const { id } of reply.calls.values()) {
        if (!this.#openCalls.delete(id)) continue
        this.#say({ type: 'tool-output-error', toolCallId: id, errorText: 'The model took this call back.' })
      }
    }
    const parts = replies.flatMap((reply) => reply.parts)
    if (parts.length === 0) return
    this.#parts++
    this.#say({ type: 'data-withdrawn', data: { parts } })
  }
}

function newReply(id: string, { step, node }: { readonly step: number; readonly node: string }): Reply {
  return { id, step, node, parts: [], calls: new Map(), text: '', speaking: false, fate: 'open' }
}

function listOf(update: unknown): readonly unknown[] {
  return Array.isArray(update) ? update : [update]
}

/** What a node emits may be anything; what JSON has no word for is nothing on the wire. */
function sendable(data: unknown): unknown {
  try {
    return JSON.stringify(data) === undefined ? null : data
  } catch {
    return null
  }
}
