// What a run asks of people, as a chat page sees it: on the call that waits, or as a part of its own.
import { toolApprovalKind } from '../agent/tool-approval.ts'
import { isRecord } from '../kernel/json.ts'
import type { PendingInterrupt } from '../runtime/events.ts'
import type { UiDataPart, UiPart, UiToolPart } from './ui-messages.ts'
import { sendable } from './wire.ts'

/** `data`: as parts `data-approval`, for clients before ai 6. Those know no request on a call, and refuse a stream with one. */
export type ApprovalsAs = 'calls' | 'data'

/** Who did not approve a call. */
export interface Denial {
  readonly approval: string
  readonly reason?: string
}

/** By `denialKey`. */
export type Denials = ReadonlyMap<string, Denial>

/** Models may give the ids of their calls again in another run. */
export function denialKey(run: string, toolCallId: string): string {
  return JSON.stringify([run, toolCallId])
}

interface AskedCall {
  readonly toolCallId: string
  readonly tool: string
  /** What will run: a person may have edited what the model asked for. */
  readonly input: unknown
}

/** The call that a question is about; `undefined` for a question of another kind. */
export function askedCall({ kind, payload }: Pick<PendingInterrupt, 'kind' | 'payload'>): AskedCall | undefined {
  if (kind !== toolApprovalKind || !isRecord(payload)) return undefined
  const { callId: toolCallId, tool, arguments: input } = payload
  return typeof toolCallId === 'string' && typeof tool === 'string' ? { toolCallId, tool, input } : undefined
}

/**
 * The parts of a message whose run waits. Clients send the answers of a step once all its calls have an end or an answer:
 * one that waits only because its siblings do has to have one too.
 */
export function waitingParts(
  parts: readonly UiPart[],
  interrupts: readonly PendingInterrupt[],
  as: ApprovalsAs,
): UiPart[] {
  const asked = new Map<string, AskedCall & { readonly id: string }>()
  const apart: UiDataPart[] = []
  const open = new Set(parts.flatMap((part) => (isOpen(part) ? [part.toolCallId] : [])))
  for (const interrupt of interrupts) {
    const call = askedCall(interrupt)
    if (call !== undefined && as === 'calls' && open.has(call.toolCallId))
      asked.set(call.toolCallId, { ...call, id: interrupt.id })
    else apart.push(partOf(interrupt, call))
  }
  const waiting = parts.map((part): UiPart => {
    if (!isOpen(part) || asked.size === 0) return part
    const call = asked.get(part.toolCallId)
    if (call === undefined) return failed(part, 'This call is made when those beside it have been answered.')
    return { ...part, state: 'approval-requested', input: call.input, approval: { id: call.id } }
  })
  return [...waiting, ...apart]
}

/** The parts of a message whose run has ended: a call without a result gets none any more. */
export function endedParts(parts: readonly UiPart[]): UiPart[] {
  return parts.map((part) => (isOpen(part) ? failed(part, endedText) : part))
}

export const endedText = 'This call was not answered: the run ended before.'

type OpenPart = UiToolPart & { readonly state: 'input-available' }

function isOpen(part: UiPart): part is OpenPart {
  return 'toolCallId' in part && part.state === 'input-available'
}

function failed({ type, toolCallId, input }: OpenPart, errorText: string): UiToolPart {
  return { type, toolCallId, state: 'output-error', input, errorText }
}

/** Its id is the approval's: asked again, it takes the place of the old. */
function partOf({ id, node, kind, payload }: PendingInterrupt, call: AskedCall | undefined): UiDataPart {
  if (call === undefined) return { type: 'data-interrupt', id, data: { id, node, kind, payload: sendable(payload) } }
  return { type: 'data-approval', id, data: { id, ...call } }
}
