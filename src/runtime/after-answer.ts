// What may happen after the answer: it saves time and room for the turns to come, and sends what the run has put in the outbox.
import type { Position } from '../graph/checkpoint.ts'
import type { ThreadKey } from '../ports/checkpointer.ts'
import type { Claim } from './claim.ts'
import { deliverMessages } from './delivery.ts'
import type { House } from './house.ts'
import { dueSnapshot } from './snapshot.ts'
import { writeTip } from './thread-cache.ts'

export interface Ended {
  /** The state that the run began on. */
  readonly start: Position
  readonly tip: { readonly seq: number; readonly hash: string; readonly position: Position }
  readonly lastSeq: number
  /** Whether it has put anything in the outbox. */
  readonly sent: boolean
}

/** Never rejects: whatever fails here is made good by the next turn or the cron. */
export async function afterAnswer(
  house: House,
  { tenant, thread }: { readonly tenant: string; readonly thread: string },
  claim: Claim,
  { start, tip, lastSeq, sent }: Ended,
): Promise<void> {
  const { checkpointer, cache, name, keepCheckpoints } = house
  const { run, head: seq, hash, owner, cached } = claim
  const key: ThreadKey = { tenant, thread, owner }
  const text = dueSnapshot(claim, start)
  await Promise.allSettled([
    cache && writeTip(cache, { tenant, thread, owner }, { cached, start: { seq, hash, position: start } }, tip),
    text !== undefined && checkpointer.putSnapshot({ tenant, thread, seq, hash, text }),
    sent && deliverMessages(checkpointer.outbox, { [name]: house }, { tenant, run }),
    isDue(claim.lastSeq, lastSeq, keepCheckpoints) && checkpointer.threads.prune(key, keepCheckpoints),
  ])
}

/** Once for as many checkpoints as are kept: a thread never holds more than about twice as many. */
function isDue(before: number, after: number, keep: number | undefined): keep is number {
  return keep !== undefined && Math.floor(before / keep) < Math.floor(after / keep)
}
