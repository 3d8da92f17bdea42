// What one task wrote, and its stored text: kept when a task has finished and its superstep has not.
import { decode, encode, isRecord } from '../kernel/json.ts'
import type { Edit } from './apply.ts'
import { isSend, type Send, send, type Target } from './command.ts'
import type { ModelCall } from './seen.ts'

export interface TaskWrites {
  readonly node: string
  readonly update: Readonly<Record<string, unknown>>
  /** From a command: takes the place of the node's edge. */
  readonly goto: readonly Target[] | undefined
  /** Messages to the outside, which leave with the commit. */
  readonly sent?: readonly SentMessage[]
  /** Of models, for whoever asks later why. */
  readonly calls?: readonly ModelCall[]
}

export interface SentMessage {
  readonly topic: string
  readonly payload: unknown
}

/** Raise it with every change of shape. A text of another format is passed over: its task runs again. */
const formatVersion = 1

export function writesText({ node, update, goto, sent, calls }: TaskWrites): string {
  return encode({
    v: formatVersion,
    node,
    update,
    ...(goto && { goto: goto.map(storedTarget) }),
    ...(sent && { sent }),
    ...(calls && { calls }),
  })
}

/** `undefined` when it is not of this format. */
export function parseWrites(text: string): TaskWrites | undefined {
  const stored = decode(text)
  if (!isRecord(stored) || stored.v !== formatVersion) return undefined
  const { node, update, goto, sent, calls } = stored as Partial<Stored>
  return {
    node: node ?? '',
    update: update ?? {},
    goto: goto?.map(targetOf),
    ...(sent && { sent }),
    ...(calls && { calls }),
  }
}

/** A run that brings writes from outside keeps them as text until its first commit. */
export function editText({ node, update, goto }: Edit): string {
  return encode({ ...(node !== undefined && { node }), update, ...(goto && { goto: goto.map(storedTarget) }) })
}

export function parseEdit(text: string): Edit {
  const { node, update, goto } = decode(text) as Partial<Stored>
  return { ...(node !== undefined && { node }), update: update ?? {}, ...(goto && { goto: goto.map(targetOf) }) }
}

interface Stored extends Omit<TaskWrites, 'goto'> {
  readonly goto?: readonly (string | Pick<Send, 'node' | 'input'>)[]
}

/** A send is recognised by a symbol, which no text has. */
function storedTarget(target: Target): string | Pick<Send, 'node' | 'input'> {
  return isSend(target) ? { node: target.node, input: target.input } : target
}

function targetOf(stored: string | Pick<Send, 'node' | 'input'>): Target {
  return typeof stored === 'string' ? stored : send(stored.node, stored.input)
}
