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
import type { CheckpointSaved, RunEvent, RunInterrupted } from '../runtime/events.ts'
import { type ApprovalsAs, askedCall, endedText, waitingParts } from './ui-approvals.ts'
import { failureChunks, type UiChunk, waitingChunks } from './ui-chunks.ts'
import { type Continued, isKnown, openCalls } from './ui-continued.ts'
import { answerOf, calledTool, isMessage, messagesOf, outputOf, stepOf, toolCallsOf } from './ui-messages.ts'
import { finished, newReply, type Reply, type StreamedCall, silenced } from './ui-reply.ts'
import { sendable } from './wire.ts'

type Chunks = readonly UiChunk[]

interface View {
  readonly thread: string
  readonly approvals: ApprovalsAs
}

/** Takes a run's events in order; the same events give the same chunks. Of a run that is continued it tells what the page has not. */
export class UiTranscript {
  readonly #thread: string
  readonly #replies = new Map<string, Reply>()
  /** Messages from before this run. */
  readonly #older = new Set<string>()
  /** Calls that the page knows and that have no result yet. */
  readonly #openCalls = new Map<string, StreamedCall>()
  readonly #approvals: ApprovalsAs
  readonly #continued: Continued | undefined
  #begun = false
  #parts = 0
  #step: number | undefined
  #reason: FinishReason = 'stop'

  constructor({ thread, approvals }: View, continued?: Continued) {
    this.#thread = thread
    this.#approvals = approvals
    this.#continued = continued
    if (continued === undefined) return
    this.#parts = continued.parts
    for (const { id } of continued.messages) this.#older.add(id)
    for (const call of openCalls(continued)) this.#openCalls.set(call.id, call)
  }

  /** The message's beginning; of one that the page has, the sign that it goes on. */
  begin(run: string): Chunks {
    this.#begun = true
    return [{ type: 'start', messageId: run, messageMetadata: { threadId: this.#thread, runId: run } }]
  }

  chunksOf(event: RunEvent): Chunks {
    if (this.#continued !== undefined && isKnown(this.#continued, event)) return []
    switch (event.type) {
      case 'run-queued':
        return []
      case 'run-started':
        // Another worker goes on with it: what the one before had not yet committed is void.
        if (this.#begun) return this.#withdraw([...this.#replies.values()].filter(({ fate }) => fate === 'open'))
        return this.begin(event.run)
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
        return finished(this.#openReply(event))
      case 'task-retried':
        return this.#withdraw(this.#openReplies(event.step).filter(({ node }) => node === event.node))
      case 'custom-emitted':
        this.#parts++
        return [{ type: `data-${event.name}`, data: sendable(event.data) }]
      case 'checkpoint-saved':
        return this.#save(event)
      case 'run-finished':
        return [...this.#catchUp(event.values), ...this.#finish(event.seq, this.#reason)]
      case 'run-interrupted':
        return [...this.#wait(event), ...this.#finish(event.seq, 'tool-calls')]
      case 'run-failed': {
        const lost = [...this.#openCalls.keys()].map((id) => failedCall(id, endedText))
        return [...lost, ...(event.error.code === 'run_cancelled' ? [abort] : failureChunks(event.error))]
      }
    }
  }

  /** What was said elsewhere, while nobody told of it here. */
  #catchUp(values: CheckpointSaved['values']): Chunks {
    if (this.#continued === undefined) return []
    const { run, step } = this.#continued
    return answerOf(run, messagesOf(values)).flatMap((message): Chunks => {
      if (message.role === 'assistant') return this.#keep(message, stepOf(message.id) ?? step + 1)
      return message.role === 'tool' ? this.#answerCall(message) : []
    })
  }

  /** A superstep that asks has written nothing: what its replies have said is told again when it is done. */
  #wait({ values, interrupts }: RunInterrupted): Chunks {
    const open = [...this.#replies.values()].filter(({ fate }) => fate === 'open')
    const before = [...this.#withdraw(open), ...this.#catchUp(values)]
    const asked = new Set(interrupts.map((interrupt) => askedCall(interrupt)?.toolCallId))
    const parts = [...this.#openCalls.values()]
      .filter(({ id }) => asked.has(id) || !this.#continued?.answered.has(id))
      .map(({ id, name, text }) => calledTool({ id, name, arguments: text }))
    return [...before, ...waitingChunks(parts, waitingParts(parts, interrupts, this.#approvals))]
  }

  #finish(seq: number, finishReason: FinishReason): Chunks {
    return [...this.#leaveStep(), { type: 'finish', messageMetadata: { checkpointId: String(seq), finishReason } }]
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

  #call(reply: Reply | undefined, index: number, { id, name }: { readonly id: string; readonly name: string }): Chunks {
    if (reply === undefined) return []
    const call = { id, name, text: '' }
    reply.calls.set(index, call)
    reply.parts.push(this.#parts++)
    this.#openCalls.set(id, call)
    return [{ type: 'tool-input-start', toolCallId: id, toolName: name }]
  }

  #callFurther(reply: Reply | undefined, index: number, text: string): Chunks {
    const call = reply?.calls.get(index)
    if (call === undefined || text === '') return []
    call.text += text
    return [{ type: 'tool-input-delta', toolCallId: call.id, inputTextDelta: text }]
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
    return [...said, ...called, ...finished(reply)]
  }

  /** Clients refuse a result of a call that they have not seen, as an older run's may be. */
  #answerCall({ toolCallId, status, content }: NewMessage & { readonly role: 'tool' }): Chunks {
    if (!this.#openCalls.delete(toolCallId)) return []
    if (status === 'denied' && this.#approvals === 'calls') return this.#deny(toolCallId)
    if (status === 'denied' || status === 'error') return [failedCall(toolCallId, content)]
    return [{ type: 'tool-output-available', toolCallId, output: outputOf(content) }]
  }

  /** In a page that has not seen the question, the call has no approval that could have been refused. */
  #deny(toolCallId: string): Chunks {
    const denied = { type: 'tool-output-denied', toolCallId } as const
    if (this.#continued?.answered.has(toolCallId)) return [denied]
    return [{ type: 'tool-approval-request', approvalId: toolCallId, toolCallId }, denied]
  }

  #withdraw(replies: readonly Reply[]): Chunks {
    const ends = replies.flatMap((reply): Chunks => {
      reply.fate = 'withdrawn'
      const calls = [...reply.calls.values()].filter(({ id }) => this.#openCalls.delete(id))
      return [...silenced(reply), ...calls.map(({ id }) => failedCall(id, takenBack))]
    })
    const parts = replies.flatMap((reply) => reply.parts)
    if (parts.length === 0) return ends
    this.#parts++
    return [...ends, { type: 'data-withdrawn', data: { parts } }]
  }
}

const abort: UiChunk = { type: 'abort' }
const takenBack = 'The model took this call back.'

function failedCall(toolCallId: string, errorText: string): UiChunk {
  return { type: 'tool-output-error', toolCallId, errorText }
}

function listOf(update: unknown): readonly unknown[] {
  return Array.isArray(update) ? update : [update]
}
