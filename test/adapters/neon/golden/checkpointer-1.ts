// What a Worker of version 1 sends to Postgres for a turn, frozen: it must work beside later versions during a deploy, on the
// schema of this one. Only the statements are of version 1; what came later is of this one.
import type { Sql } from '../../../../src/adapters/neon/database.ts'
import { neonCheckpointer } from '../../../../src/adapters/neon/index.ts'
import { type ClaimedRow, claimOf, type RunRow, runOf } from '../../../../src/adapters/neon/rows.ts'
import type { Checkpointer, StepOutcome, TurnClaim } from '../../../../src/ports/checkpointer.ts'
import { altered } from '../../../runtime/doubles.ts'

export function checkpointerOfVersion1(sql: Sql): Checkpointer {
  const call = async (text: string, parameters: unknown[]) => {
    const [row] = (await sql.query(text, parameters)) as { result: unknown }[]
    return row?.result
  }
  return altered(neonCheckpointer(sql), {
    async beginTurn({ tenant, thread, owner, run, graph, token, leaseMs, inlineBytes, maxAttempts, createThread }) {
      const claim = (await call(
        'select recollect.begin_turn_v1(_tenant => $1, _thread => $2, _owner => $3, _create => $4, _run => $5, _key => $6, _body_hash => $7, _graph => $8, _input => $9, _strategy => $10, _token => $11, _lease_ms => $12, _inline_bytes => $13, _max_attempts => $14) as result',
        [
          ...[tenant, thread, owner, createThread, run?.run, run?.key, run?.bodyHash, graph, run?.input, run?.strategy],
          ...[token, leaseMs, inlineBytes, maxAttempts],
        ],
      )) as TurnClaim & { run: RunRow }
      if (claim.outcome === 'ended') return { outcome: 'ended', run: runOf(claim.run) }
      // It knew nothing of these.
      const unknown = { saved: [], cancelled: false }
      return claim.outcome === 'claimed' ? { ...claimOf(claim as TurnClaim as ClaimedRow), ...unknown } : claim
    },
    async commitStep({ tenant, thread, run, epoch, token, head, hash, step, checkpoints, status, error, leaseMs }) {
      return (await call(
        'select recollect.commit_step_v1(_tenant => $1, _thread => $2, _run => $3, _epoch => $4, _token => $5, _head => $6, _hash => $7, _step => $8, _steps => $9, _hashes => $10, _deltas => $11, _status => $12, _error => $13, _lease_ms => $14) as result',
        [
          ...[tenant, thread, run, epoch, token, head, hash, step],
          ...[checkpoints.map((each) => each.step), checkpoints.map((each) => each.hash)],
          ...[checkpoints.map((each) => each.delta), status, error && JSON.stringify(error), leaseMs],
        ],
      )) as StepOutcome
    },
    async renewLease({ tenant, thread, run, epoch, token }, leaseMs) {
      const held = await call(
        'select recollect.renew_lease_v1(_tenant => $1, _thread => $2, _run => $3, _epoch => $4, _token => $5, _lease_ms => $6) as result',
        [tenant, thread, run, epoch, token, leaseMs],
      )
      return held === true ? 'held' : 'fenced'
    },
    async releaseTurn({ tenant, thread, run, epoch, token }) {
      await call(
        'select recollect.release_turn_v1(_tenant => $1, _thread => $2, _run => $3, _epoch => $4, _token => $5) as result',
        [tenant, thread, run, epoch, token],
      )
    },
  })
}
