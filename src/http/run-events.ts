// A run's events in the LangGraph wire: what each stream mode tells of them.
import type { Message } from '../ports/model.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import { type CheckpointSaved, isLast, type PendingInterrupt, type RunEvent } from '../runtime/events.ts'
import { problemOf } from './problem.ts'
import type { FrameId, SseEvent } from './sse.ts'
import { messageChannels, type WireMessage, wireMessage, wireValues } from './wire-messages.ts'

export const streamModes = ['values', 'updates', 'messages-tuple', 'messages', 'custom'] as const

export type StreamMode = (typeof streamModes)[number]

export interface RunView {
  readonly graph: CompiledGraph
  readonly modes: readonly StreamMode[]
  readonly run: string
  /** Absent for a run without a thread. */
  readonly thread: string | undefined
}

/** First `metadata`, then what the modes ask for, and at the end of a failed run `error`. The same events give the same list. */
export async function* runEvents(view: RunView, events: AsyncIterable<RunEvent>): AsyncGenerator<SseEvent, void> {
  const { run, thread } = view
  const numbers = new Numbers()
  yield numbers.add({
    event: 'metadata',
    data: { run_id: run, attempt: 1, ...(thread !== undefined && { thread_id: thread }) },
  })
  const teller = new Teller(view)
  try {
    for await (const event of events) {
      if (event.type === 'run-started') numbers.begin(event.epoch)
      // The end of a run that worked elsewhere, where nothing else is known of it.
      const known = numbers.begun || !isLast(event)
      for (const frame of teller.told(event)) yield known ? numbers.add(frame) : frame
    }
  } catch (error) {
    yield numbers.begun ? numbers.add(errorEvent(error)) : errorEvent(error)
  }
}

type Frame = Omit<SseEvent, 'id'>

/** What is told before a claim on the thread is of claim 0. */
class Numbers {
  #next: FrameId = { epoch: 0, index: 0 }
  begun = false

  begin(epoch: number): void {
    this.begun = true
    if (epoch !== this.#next.epoch) this.#next = { epoch, index: 0 }
  }

  add(frame: Frame): SseEvent {
    const id = this.#next
    this.#next = { epoch: id.epoch, index: id.index + 1 }
    return { ...frame, id }
  }
}

function errorEvent(error: unknown): Frame {
  return { event: 'error', data: wireError(error) }
}

/** `{ error, message }`: the code, and what may be said. */
export function wireError(error: unknown): { error: string; message: string } {
  const { code, detail } = problemOf(error)
  return { error: code, message: detail }
}

interface End {
  readonly status?: 'success' | 'interrupted'
  readonly values: Readonly<Record<string, unknown>>
  readonly interrupts: readonly PendingInterrupt[]
}

/** The state that a run ended with, and what it waits for. */
export function wireEnd({ graph }: CompiledGraph, { status = 'interrupted', values, interrupts }: End) {
  return { ...wireValues(graph, values), ...(status === 'interrupted' && wireInterrupts(interrupts)) }
}

/** `id` is that of the approval. Where a run stopped because it was told to, the list is empty. */
export function wireInterrupts(interrupts: readonly PendingInterrupt[]) {
  return { __interrupt__: interrupts.map(({ id, node, kind, payload }) => ({ id, value: payload, kind, node })) }
}

type Reply = Extract<RunEvent, { messageId: string }>

class Teller {
  readonly #view: RunView
  readonly #modes: ReadonlySet<StreamMode>
  /** Messages that have been told, whole or piece by piece. */
  readonly #told = new Set<string>()
  /** Mode `messages`: replies as far as they have come. */
  readonly #partial = new Map<string, string>()
  #valuesTold = false

  constructor(view: RunView) {
    this.#view = view
    this.#modes = new Set(view.modes)
  }

  *told(event: RunEvent): Generator<Frame, void> {
    switch (event.type) {
      case 'reply-started':
      case 'text-delta':
      case 'tool-call-started':
      case 'tool-call-delta':
      case 'reply-finished':
        this.#told.add(event.messageId)
        if (this.#modes.has('messages-tuple')) yield* this.#chunk(event)
        if (this.#modes.has('messages')) yield* this.#growing(event)
        break
      case 'custom-emitted':
        if (this.#modes.has('custom')) yield { event: 'custom', data: { name: event.name, data: event.data } }
        break
      case 'checkpoint-saved':
        yield* this.#checkpoint(event)
        break
      case 'run-finished':
        // A run that had nothing to do saved nothing.
        if (!this.#valuesTold && this.#modes.has('values')) yield this.#values(event.values)
        break
      case 'run-interrupted':
        if (this.#modes.has('updates')) yield { event: 'updates', data: wireInterrupts(event.interrupts) }
        if (this.#modes.has('values')) yield { event: 'values', data: wireEnd(this.#view.graph, event) }
        break
      case 'run-failed':
        yield errorEvent(event.error)
        break
      default:
    }
  }

  *#checkpoint(saved: CheckpointSaved): Generator<Frame, void> {
    const { graph } = this.#view.graph
    for (const { message, node } of this.#newMessages(saved)) {
      const wire = wireMessage(message)
      if (this.#modes.has('messages-tuple'))
        yield { event: 'messages', data: [wire, this.#place({ step: saved.step, node })] }
      if (this.#modes.has('messages')) yield { event: 'messages/complete', data: [wire] }
    }
    if (this.#modes.has('updates')) {
      for (const { node, update } of saved.writes)
        yield { event: 'updates', data: { [node]: wireValues(graph, update) } }
    }
    if (this.#modes.has('values')) yield this.#values(saved.values)
  }

  #values(values: Readonly<Record<string, unknown>>): Frame {
    this.#valuesTold = true
    return { event: 'values', data: wireValues(this.#view.graph.graph, values) }
  }

  /** Messages that nodes wrote and nobody has heard of: what tools answered, and replies that were not streamed. */
  *#newMessages({ step, values, writes }: CheckpointSaved): Generator<{ message: Message; node: string }, void> {
    for (const channel of messageChannels(this.#view.graph.graph)) {
      const node = writes.find(({ update }) => Object.hasOwn(update, channel))?.node ?? ''
      const list = (values[channel] ?? []) as readonly Message[]
      for (const message of list) {
        if (this.#told.has(message.id)) continue
        this.#told.add(message.id)
        // Step 0 is the input, and all that was there before it.
        if (step > 0) yield { message, node }
      }
    }
  }

  *#chunk(event: Reply): Generator<Frame, void> {
    const chunk = chunkOf(event)
    if (chunk !== undefined) yield { event: 'messages', data: [chunk, this.#place(event)] }
  }

  *#growing(event: Reply): Generator<Frame, void> {
    const { messageId: id } = event
    if (event.type === 'reply-started') {
      yield { event: 'messages/metadata', data: { [id]: { metadata: this.#place(event) } } }
    } else if (event.type === 'text-delta') {
      const content = (this.#partial.get(id) ?? '') + event.text
      this.#partial.set(id, content)
      yield { event: 'messages/partial', data: [wireMessage({ role: 'assistant', id, content })] }
    }
  }

  #place({ step, node }: { step: number; node: string }) {
    const { run, thread, graph } = this.#view
    return {
      langgraph_node: node,
      langgraph_step: step,
      run_id: run,
      ...(thread !== undefined && { thread_id: thread }),
      graph_id: graph.name,
      tags: [],
    }
  }
}

function chunkOf(event: Reply): WireMessage | undefined {
  const chunk = {
    type: 'AIMessageChunk',
    id: event.messageId,
    content: '',
    additional_kwargs: {},
    response_metadata: {},
  }
  switch (event.type) {
    case 'reply-started':
      return undefined
    case 'text-delta':
      return { ...chunk, content: event.text, tool_call_chunks: [] }
    case 'tool-call-started': {
      const { index, id, name } = event
      return { ...chunk, tool_call_chunks: [{ type: 'tool_call_chunk', index, id, name, args: '' }] }
    }
    case 'tool-call-delta': {
      const { index, text } = event
      return { ...chunk, tool_call_chunks: [{ type: 'tool_call_chunk', index, args: text }] }
    }
    case 'reply-finished':
      return { ...chunk, tool_call_chunks: [], response_metadata: { finish_reason: event.reason } }
  }
}
