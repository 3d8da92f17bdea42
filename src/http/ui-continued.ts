// A run that goes on after a question, for a page that has its message up to there.
import type { Message } from '../ports/model.ts'
import type { RunEvent } from '../runtime/events.ts'
import { answerOf, toolCallsOf } from './ui-messages.ts'
import type { StreamedCall } from './ui-reply.ts'

export interface Continued {
  readonly run: string
  /** The last superstep before it asked. */
  readonly step: number
  /** Those of the thread, at that time. */
  readonly messages: readonly Message[]
  /** How many parts the page's message has. */
  readonly parts: number
  /** Calls that the page knows to be answered. */
  readonly answered: ReadonlySet<string>
}

export function isKnown({ step }: Continued, event: RunEvent): boolean {
  return event.type !== 'run-started' && 'step' in event && event.step <= step
}

export function openCalls({ run, messages }: Continued): StreamedCall[] {
  const answer = answerOf(run, messages)
  const told = new Set(answer.flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : [])))
  return answer
    .flatMap((message) => (message.role === 'assistant' ? toolCallsOf(message) : []))
    .filter(({ id }) => !told.has(id))
    .map(({ id, name, arguments: text }) => ({ id, name, text }))
}
