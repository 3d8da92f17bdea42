// About what holding an event costs, so that what is held for readers is bounded.
import { encode } from '../kernel/json.ts'
import type { RunEvent } from './events.ts'

/** More is not held of one run: neither in memory nor in the event log. */
export const heldBytes = 8 * 1024 * 1024

const eventBytes = 200

/** States are shared with the turn itself: only what an event brings is counted. */
export function weightOf(event: RunEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'tool-call-delta':
      return eventBytes + event.text.length
    case 'custom-emitted':
      return eventBytes + weightOfValue(event.data)
    case 'checkpoint-saved':
      return eventBytes + weightOfValue(event.writes)
    default:
      return eventBytes
  }
}

/** What cannot be written cannot be sent either, and counts as nothing. */
function weightOfValue(value: unknown): number {
  try {
    return encode(value).length
  } catch {
    return 0
  }
}
