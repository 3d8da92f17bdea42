// One model call: streams its parts to whoever watches and assembles the message.
import { RecollectError } from '../kernel/errors.ts'
import type { AssistantMessage, Model, ModelPart, ModelRequest, ToolCall } from '../ports/model.ts'
import type { Emit } from './events.ts'

interface ReplyPlace {
  /** A promise while the claim on the thread is only hoped for: then nothing is told before it is kept. */
  readonly messageId: string | Promise<string>
  readonly step: number
  readonly node: string
  readonly emit: Emit
}

/** Throws `model_failed` when the stream ends without saying that it is at its end. */
export async function replyOf(model: Model, request: ModelRequest, place: ReplyPlace): Promise<AssistantMessage> {
  const { step, node, emit } = place
  const parts = begun(model.stream(request))
  const messageId = await place.messageId
  let content = ''
  const calls: { id: string; name: string; arguments: string }[] = []
  emit({ type: 'reply-started', messageId, step, node })
  for await (const part of parts) {
    switch (part.type) {
      case 'text-delta':
        content += part.text
        emit({ type: 'text-delta', messageId, text: part.text, step, node })
        break
      case 'tool-call-start':
        calls[part.index] = { id: part.id, name: part.name, arguments: '' }
        emit({ type: 'tool-call-started', messageId, index: part.index, id: part.id, name: part.name, step, node })
        break
      case 'tool-call-delta': {
        const call = calls[part.index]
        if (call === undefined) throw cutOff('sent arguments for a tool call that it had not begun')
        call.arguments += part.text
        emit({ type: 'tool-call-delta', messageId, index: part.index, text: part.text, step, node })
        break
      }
      case 'finish':
        emit({ type: 'reply-finished', messageId, reason: part.reason, step, node })
        return message(messageId, content, calls, part)
    }
  }
  throw cutOff('stopped in mid-answer')
}

/** Asks for the first part at once and not when it is first read: the model is at work while the claim is awaited. */
function begun<Part>(source: AsyncIterable<Part>): AsyncIterable<Part> {
  const iterator = source[Symbol.asyncIterator]()
  const first = iterator.next()
  // It is awaited below, or by nobody when the claim is lost.
  first.catch(() => {})
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value
      } finally {
        await iterator.return?.()
      }
    },
  }
}

function message(
  id: string,
  content: string,
  calls: readonly ToolCall[],
  finish: Extract<ModelPart, { type: 'finish' }>,
): AssistantMessage {
  // A provider may leave holes in its numbering of calls.
  const toolCalls = calls.filter((call) => call !== undefined)
  return {
    id,
    role: 'assistant',
    content,
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: finish.reason,
    model: finish.model,
    ...(finish.usage !== undefined && { usage: finish.usage }),
  }
}

function cutOff(what: string): RecollectError {
  return new RecollectError(
    'model_failed',
    `The model ${what}. Nothing of its answer was kept; send the message again.`,
  )
}
