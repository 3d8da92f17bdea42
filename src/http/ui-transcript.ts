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
import { wireText } from './wire.ts'

type Chunks = readonly UiChunk[]

/** A reply as the page has seen it. */
interface Reply {
  readonly id: string
  readonly step: number
  readonly node: string
  /** Places of its parts in the message. */
  readonly parts: number[]
  readonly calls: Map<number, { readonly id: string; readonly name: string; text: string }>
  text: string
  speaking: boolean
  /** `kept`: it is a message of the thread. */
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
  #begun = false
  #parts = 0
  #step: number | undefined
  #reason: FinishReason = 'stop'

  constructor(thread: string) {
    this.#thread = thread
  }

  chunksOf(event: RunEvent): Chunks {
    switch (event.type) {
      case 'run-queued':
        return []
      case 'run-started':
        // Another worker goes on with it: what the one before had not yet committed is void.
        if (this.#begun) return this.#withdraw([...this.#replies.values()].filter(({ fate }) => fate === 'open'))
        this.#begun = true
        return [{ type: 'start', messageId: event.run, messageMetadata: { threadId: this.#thread, runId: event.run } }]
      case 'reply-started':
        this.#replies.set(event.messageId, newReply(event.messageId, event))
        return this.#enter(event.step)
      case 'text-delta':
        return this.#speak(this.#openReply(event), event.text)
      case 'tool-call-started':
        return this.#call(this.#openReply(event), event.index, event)
      case 'tool-call-delta':
        return this.#callFurther(this.#openReply(event), event.index, event.text)
      case 'reply-finished':
        this.#reason = event.reason
        return this.#finishReply(this.#openReply(event))
      case 'task-retried':
        return this.#withdraw(this.#openReplies(event.step).filter(({ node }) => node === event.node))
      case 'custom-emitted':
        this.#parts++
        return [{ type: `data-${event.name}`, data: sendable(event.data) }]
      case 'checkpoint-saved':
        return this.#save(event)
      case 'run-finished': {
        const messageMetadata = { checkpointId: String(event.seq), finishReason: this.#reason }
        return [...this.#leaveStep(), { type: 'finish', messageMetadata }]
      }
      case 'run-failed':
        return event.error.code === 'run_cancelled' ? [{ type: 'abort' }] : failureChunks(event.error)
    }
  }

  #enter(step: number): Chunks {
    if (step === this.#step) return []
    const left = this.#leaveStep()
    this.#step = step
    this.#parts++
    return [...left, { type: 'start-step' }]
  }

  #leaveStep(): Chunks {
    return this.#step === undefined ? [] : [{ type: 'finish-step' }]
  }

  #openReply({ messageId }: { readonly messageId: string }): Reply | undefined {
    const reply = this.#replies.get(messageId)
    return reply?.fate === 'open' ? reply : undefined
  }

  /** Replies of this superstep of which nothing is known yet. */
  #openReplies(step: number): Reply[] {
    return [...this.#replies.values()].filter((reply) => reply.step === step && reply.fate === 'open')
  }

  #speak(reply: Reply | undefined, text: string): Chunks {
    if (reply === undefined || text === '') return []
    reply.text += text
    const delta: UiChunk = { type: 'text-delta', id: reply.id, delta: text }
    if (reply.speaking) return [delta]
    reply.speaking = true
    reply.parts.push(this.#parts++)
    return [{ type: 'text-start', id: reply.id }, delta]
  }

  #fallSilent(reply: Reply): Chunks {
    if (!reply.speaking) return []
    reply.speaking = false
    return [{ type: 'text-end', id: reply.id }]
  }

  #call(reply: Reply | undefined, index: number, { id, name }: { readonly id: string; readonly name: string }): Chunks {
    if (reply === undefined) return []
    reply.calls.set(index, { id, name, text: '' })
    reply.parts.push(this.#parts++)
    this.#openCalls.add(id)
    return [{ type: 'tool-input-start', toolCallId: id, toolName: name }]
  }

  #callFurther(reply: Reply | undefined, index: number, text: string): Chunks {
    const call = reply?.calls.get(index)
    if (call === undefined || text === '') return []
    call.text += text
    return [{ type: 'tool-input-delta', toolCallId: call.id, inputTextDelta: text }]
  }

  #finishReply(reply: Reply | undefined): Chunks {
    if (reply === undefined) return []
    const called = [...reply.calls.values()].map(
      ({ id, name, text }): UiChunk => ({
        type: 'tool-input-available',
        toolCallId: id,
        toolName: name,
        input: inputOf(text),
      }),
    )
    return [...this.#fallSilent(reply), ...called]
  }

  /** Now it is known what has become of the superstep: results are told, what was not streamed is said, the rest is void. */
  #save({ step, values, writes }: CheckpointSaved): Chunks {
    if (step === 0) for (const { id } of messagesOf(values)) this.#older.add(id)
    const told = writes
      .flatMap(({ update }) => listOf(update.messages))
      .flatMap((message): Chunks => {
        if (isRecord(message) && message.role === 'removed') return this.#withdraw(this.#seen(message.id))
        if (!isMessage(message)) return []
        if (message.role === 'assistant') return this.#keep(message, step)
        return message.role === 'tool' ? this.#answerCall(message) : []
      })
    return [...told, ...this.#withdraw(this.#openReplies(step))]
  }

  #seen(id: unknown): Reply[] {
    return [...this.#replies.values()].filter((reply) => reply.id === id && reply.fate !== 'withdrawn')
  }

  #keep(message: NewMessage & { readonly role: 'assistant' }, step: number): Chunks {
    const { id = `${step}.${this.#parts}`, content } = message
    if (this.#older.has(id)) return []
    const copied = ({ text, calls }: Reply) => calls.size === 0 && text === content
    const [seen] = [...this.#seen(id), ...this.#openReplies(step).filter(copied)]
    if (seen !== undefined) {
      seen.fate = 'kept'
      return []
    }
    const reply = newReply(id, { step, node: '' })
    this.#replies.set(id, reply)
    const said = [...this.#enter(step), ...this.#speak(reply, content)]
    const called = toolCallsOf(message).flatMap((call, index) => [
      ...this.#call(reply, index, call),
      ...this.#callFurther(reply, index, call.arguments),
    ])
    reply.fate = 'kept'
    return [...said, ...called, ...this.#finishReply(reply)]
  }

  /** Clients refuse a result of a call that they have not seen, as an older run's may be. */
  #answerCall({ toolCallId, status, content }: NewMessage & { readonly role: 'tool' }): Chunks {
    if (!this.#openCalls.delete(toolCallId)) return []
    if (status === 'error') return [{ type: 'tool-output-error', toolCallId, errorText: content }]
    return [{ type: 'tool-output-available', toolCallId, output: outputOf(content) }]
  }

  #withdraw(replies: readonly Reply[]): Chunks {
    const ends = replies.flatMap((reply): Chunks => {
      reply.fate = 'withdrawn'
      const calls = [...reply.calls.values()].filter(({ id }) => this.#openCalls.delete(id))
      return [...this.#fallSilent(reply), ...calls.map(({ id }) => takenBack(id))]
    })
    const parts = replies.flatMap((reply) => reply.parts)
    if (parts.length === 0) return ends
    this.#parts++
    return [...ends, { type: 'data-withdrawn', data: { parts } }]
  }
}

/** A stream never just stops: clients would take what they have for the whole answer. */
export function failureChunks(error: unknown): Chunks {
  const { code, detail } = problemOf(error)
  return [
    { type: 'message-metadata', messageMetadata: { errorCode: code } },
    { type: 'error', errorText: detail },
  ]
}

function takenBack(toolCallId: string): UiChunk {
  return { type: 'tool-output-error', toolCallId, errorText: 'The model took this call back.' }
}

function newReply(id: string, { step, node }: { readonly step: number; readonly node: string }): Reply {
  return { id, step, node, parts: [], calls: new Map(), text: '', speaking: false, fate: 'open' }
}

function listOf(update: unknown): readonly unknown[] {
  return Array.isArray(update) ? update : [update]
}

/** What a node emits may be anything; what cannot be written is nothing on the wire. */
function sendable(data: unknown): unknown {
  try {
    return wireText(data) === undefined ? null : data
  } catch {
    return null
  }
}
