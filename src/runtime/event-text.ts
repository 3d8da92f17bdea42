// Events as they are kept for readers of other workers: without the states, which are in Postgres, and with errors as data.
import { type ErrorCode, isErrorCode, isRecollectError, RecollectError } from '../kernel/errors.ts'
import { decode, encode, isRecord } from '../kernel/json.ts'
import type { RunEvent } from './events.ts'

type WithoutValues<Event> = Event extends { readonly values: unknown } ? Omit<Event, 'values'> : Event

/** An event whose state, if it has one, is still to be read. */
export type KeptEvent = WithoutValues<RunEvent>

/** `null` in the place of what a node told that has no text. */
export function eventText(event: RunEvent): string {
  const { type, ...parts } = event
  const kept = Object.entries(parts).filter(([name]) => name !== 'values')
  try {
    return encode({ type, ...Object.fromEntries(kept.map(([name, value]) => [name, plain(value)])) })
  } catch (error) {
    if (event.type !== 'custom-emitted') throw error
    return eventText({ ...event, data: null })
  }
}

/** `undefined` for what is no event of this version. */
export function eventOf(text: string): KeptEvent | undefined {
  const stored = decode(text)
  if (!isRecord(stored) || typeof stored.type !== 'string') return undefined
  // It was written by `eventText`, and sealed.
  return { ...stored, ...('error' in stored && { error: errorOf(stored.error) }) } as KeptEvent
}

function plain(value: unknown): unknown {
  if (!isRecollectError(value)) return value
  const { code, message, retryAfterMs, details } = value
  return { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }), ...(details && { details }) }
}

function errorOf(stored: unknown): RecollectError {
  const { code, message, retryAfterMs, details } = isRecord(stored) ? stored : {}
  const known: ErrorCode = isErrorCode(code) ? code : 'internal'
  return new RecollectError(known, String(message), {
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
    ...(isRecord(details) && { details }),
  })
}
