// Questions and their answers in Postgres. The rules are in schema.sql.
import type { AnswerOutcome, ApprovalAttempt, ApprovalRecord, Approvals } from '../../ports/approvals.ts'
import type { Database } from './database.ts'
import { approvalOf, isoTime } from './rows.ts'

export function neonApprovals(database: Database): Approvals {
  return {
    async answer({ tenant, id, owner, by, approver, via, answer, token, webhook, run }) {
      const parameters = { tenant, id, owner, by, approver, via, answer, token, webhook, run }
      const outcome = (await database.call('answer_approval_v1', parameters)) as AnswerOutcome
      return 'approval' in outcome ? { ...outcome, approval: approvalOf(outcome.approval) } : outcome
    },
    async get({ tenant, owner }, id) {
      const rows = await database.rows(
        `select recollect.approval_json_v1(a) as result from recollect.approvals a
         where a.tenant = $1 and a.requester = coalesce($2, a.requester) and a.id = $3`,
        [tenant, owner, id],
      )
      return rows[0] && approvalOf(rows[0].result as ApprovalRecord)
    },
    async list({ tenant, owner, thread, run, status, limit, offset }) {
      const rows = await database.rows(
        `select recollect.approval_json_v1(a) as result from recollect.approvals a
         where a.tenant = $1 and a.requester = coalesce($2, a.requester) and a.thread = coalesce($3, a.thread)
           and a.run = coalesce($4, a.run)
           and ($5::text is null or $5 = case when a.status = 'pending' and a.expires_at < clock_timestamp() then 'expired' else a.status end)
         order by a.created_at desc, a.number desc limit $6 offset $7`,
        [tenant, owner, thread, run, status, limit, offset],
      )
      return rows.map(({ result }) => approvalOf(result as ApprovalRecord))
    },
    async attempts(tenant, id) {
      const rows = await database.rows(
        `select json_build_object('at', x.at, 'by', x.by, 'via', x.via, 'outcome', x.outcome) as result
         from recollect.approval_attempts x where x.tenant = $1 and x.approval = $2 order by x.number`,
        [tenant, id],
      )
      return rows.map(({ result }) => {
        const attempt = result as ApprovalAttempt
        return { ...attempt, at: isoTime(attempt.at) }
      })
    },
    async expire(limit) {
      return Number(await database.call('expire_approvals_v1', { limit }))
    },
    async purge(olderThanMs) {
      await database.rows(
        `delete from recollect.webhooks_seen where created_at < clock_timestamp() - $1 * interval '1 millisecond'`,
        [olderThanMs],
      )
    },
  }
}
