// What one task wrote, and its stored text: kept when a task has finished and its superstep has not.
import { decode, encode, isRecord } from '../kernel/json.ts'
import { isSend, type Send, send, type Target } from './command.ts'

export interface TaskWrites {
  readonly node: string
  readonly update: Readonly<Record<string, unknown>>
  /** From a command: takes the place of the node's edge. */
  readonly goto: readonly Target[] | undefined
  /** Messages to the outside, which leave with the commit. */
  readonly sent?: readonly SentMessage[]
}

export interface SentMessage {
  readonly topic: string
  readonly payload: unknown
}

/** Raise it with every change of shape. A text of another format is passed over: its task runs again. */
const formatVersion = 1

export function writesText({ node, update, goto, sent }: TaskWrites): string {
  // A send is recognised by a symbol, which no text has.
  const targets = goto?.map((target) => (isSend(target) ? { node: target.node, input: target.input } : target))
  return encode({ v: formatVersion, node, update, ...(targets && { goto: targets }), ...(sent && { sent }) })
}

/** `undefined` when it is not of this format, or of another node. */
export function parseWrites(text: string, node: string): TaskWrites | undefined {
  const stored = decode(text)
  if (!isRecord(stored) || stored.v !== formatVersion || stored.node !== node) return undefined
  const { update, goto, sent } = stored as Partial<Stored>
  return { node, update: update ?? {}, goto: goto?.map(targetOf), ...(sent && { sent }) }
}

interface Stored extends Omit<TaskWrites, 'goto'> {
  readonly goto?: readonly (string | Pick<Send, 'node' | 'input'>)[]
}

function targetOf(stored: string | Pick<Send, 'node' | 'input'>): Target {
  return typeof stored === 'string' ? stored : send(stored.node, stored.input)
}
