// For tests of graphs: a model that says what it is told to say.
import type { Message, Model, ModelRequest } from '../ports/model.ts'

/** Nothing unless given: an empty answer. */
export interface ScriptedReply {
  /** Streamed word by word. */
  readonly text?: string
  /** Arguments that are a string are written as they are, others as JSON. An id is made up unless given. */
  readonly calls?: readonly { readonly id?: string; readonly name: string; readonly arguments: unknown }[]
  /** Thrown after the text, in place of an end. */
  readonly failure?: Error
  /** The stream ends after the text, without saying so. */
  readonly cutOff?: boolean
}

/** A string is a reply of that text. What it throws, the model throws. */
export type Script = (
  messages: readonly Message[],
  request: ModelRequest,
) => string | ScriptedReply | Promise<string | ScriptedReply>

export interface ScriptedModel extends Model {
  /** Every request so far. */
  readonly requests: readonly ModelRequest[]
}

/** `scriptedModel((messages) => `You said ${messages.at(-1)?.content}`)`. It is no model and makes no network call. */
export function scriptedModel(script: Script): ScriptedModel {
  const requests: ModelRequest[] = []
  return {
    requests,
    async *stream(request) {
      requests.push(request)
      const said = await script(request.messages, request)
      const reply = typeof said === 'string' ? { text: said } : said
      const { text = '', calls = [], failure, cutOff = false } = reply
      for (const word of text.match(/\S+\s*/g) ?? []) {
        request.signal.throwIfAborted()
        yield { type: 'text-delta', text: word }
      }
      for (const [index, call] of calls.entries()) {
        yield {
          type: 'tool-call-start',
          index,
          id: call.id ?? `call-${request.messages.length}-${index}`,
          name: call.name,
        }
        const written = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
        yield { type: 'tool-call-delta', index, text: written }
      }
      if (failure !== undefined) throw failure
      if (cutOff) return
      const usage = { inputTokens: lengthOf(request.messages), outputTokens: text.length }
      yield { type: 'finish', reason: calls.length > 0 ? 'tool-calls' : 'stop', model: 'scripted', usage }
    },
  }
}

function lengthOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0)
}
