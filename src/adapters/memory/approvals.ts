// Questions and their answers in the in-memory database. The same outcomes as Postgres, asked in the same order.
import type {
  AnswerApproval,
  AnswerOutcome,
  ApprovalAttempt,
  ApprovalRecord,
  ApprovalSearch,
  ApprovalStatus,
  Approvals,
  Question,
} from '../../ports/approvals.ts'
import type { Answer } from '../../ports/checkpointer.ts'
import type { Superstep } from './saved-tasks.ts'
import { isLive, type StoredApproval, type StoredRun, type StoredThread, type Tables, unanswered } from './tables.ts'

export class MemoryApprovals implements Approvals {
  readonly #tables: Tables
  readonly #now: () => number

  constructor(tables: Tables, now: () => number) {
    this.#tables = tables
    this.#now = now
  }

  async answer(request: AnswerApproval): Promise<AnswerOutcome> {
    const { tenant, id, owner, token, webhook, run } = request
    const seen = webhook ? this.#tables.webhooks.get(JSON.stringify([tenant, token]))?.approval : undefined
    if (seen !== undefined) return { outcome: 'repeated', approval: this.#view(seen) }
    const stored = this.#find(tenant, owner, id)
    if (stored === undefined) return { outcome: this.#isAtWork(tenant, owner, run) ? 'early' : 'unknown' }
    const outcome = this.#outcomeFor(stored, request)
    if (outcome === 'accepted') this.#accept(stored, request)
    if (outcome !== 'repeated') {
      stored.attempts.push({ at: this.#timestamp(), by: request.by, via: request.via, outcome })
    }
    return { outcome, approval: this.#view(stored) }
  }

  #outcomeFor(
    { tenant, record, answerToken, ...stored }: StoredApproval,
    { token, by, approver, answer }: AnswerApproval,
  ) {
    const { approvers, answerer, notRequester, requester, status } = record
    if (answerToken === token) return 'repeated'
    const listed = approvers === null || approvers.includes(by)
    if (!listed || (answerer === 'approver' && !approver) || (notRequester && by === requester)) return 'forbidden'
    if (status !== 'pending') return status
    const run = this.#tables.runs.get(tenant)?.get(record.run)
    if (run === undefined || !(isLive(run) || run.record.status === 'waiting')) return 'cancelled'
    if (this.#isOver(stored.expiresAtMs)) return 'expired'
    return answer === null ? 'invalid' : 'accepted'
  }

  #accept(stored: StoredApproval, { tenant, by, via, answer, token, webhook }: AnswerApproval): void {
    const answered = { answer, answeredBy: by, answeredVia: via, answeredAt: this.#timestamp() }
    stored.record = { ...stored.record, ...answered, status: 'answered' }
    stored.answerToken = token
    if (webhook) this.#tables.webhooks.set(JSON.stringify([tenant, token]), { approval: stored, atMs: this.#now() })
    this.#resume(stored)
  }

  async get({ tenant, owner }: { tenant: string; owner: string | null }, id: string) {
    const stored = this.#find(tenant, owner, id)
    return stored && this.#view(stored)
  }

  async list(search: ApprovalSearch): Promise<readonly ApprovalRecord[]> {
    const { tenant, owner, thread, run, status, limit, offset } = search
    return [...this.#tables.approvals]
      .filter((stored) => stored.tenant === tenant)
      .map((stored) => this.#view(stored))
      .filter((record) => owner === null || record.requester === owner)
      .filter((record) => (thread === null || record.thread === thread) && (run === null || record.run === run))
      .filter((record) => status === null || record.status === status)
      .reverse()
      .slice(offset, offset + limit)
  }

  async attempts(tenant: string, id: string): Promise<readonly ApprovalAttempt[]> {
    return [...(this.#find(tenant, null, id)?.attempts ?? [])]
  }

  async expire(limit: number): Promise<number> {
    const over = [...this.#tables.approvals]
      .filter(({ record, expiresAtMs }) => record.status === 'pending' && this.#isOver(expiresAtMs))
      .sort((a, b) => (a.expiresAtMs ?? 0) - (b.expiresAtMs ?? 0))
    for (const stored of over.slice(0, limit)) {
      this.#end(stored, 'expired')
      this.#resume(stored)
    }
    return Math.min(over.length, limit)
  }

  async purge(olderThanMs: number): Promise<void> {
    for (const [name, { atMs }] of this.#tables.webhooks) {
      if (atMs < this.#now() - olderThanMs) this.#tables.webhooks.delete(name)
    }
  }

  /** With the commit of the superstep that asks. Gives those that are new. */
  ask(
    tenant: string,
    thread: StoredThread,
    run: StoredRun,
    superstep: Superstep,
    questions: readonly Question[],
  ): readonly ApprovalRecord[] {
    const asked: ApprovalRecord[] = []
    for (const { key, expiresInMs, ...shown } of questions) {
      if (this.#find(tenant, null, shown.id) !== undefined) continue
      const expiresAtMs = expiresInMs === null ? undefined : this.#now() + expiresInMs
      const record = { ...shown, ...unanswered(thread, run, { expiresAtMs, nowMs: this.#now() }) }
      const state = { answerToken: undefined, used: false, attempts: [] }
      this.#tables.approvals.add({ tenant, record, superstep, task: shown.task, key, expiresAtMs, ...state })
      asked.push(record)
    }
    return asked
  }

  answersFor(tenant: string, thread: string, superstep: Superstep): Answer[] {
    return this.#of(tenant, thread, superstep)
      .filter(({ used }) => !used)
      .sort((a, b) => a.task - b.task)
      .flatMap(({ task, key, record: { id, node, kind, payload, status, answer } }) =>
        status === 'cancelled' ? [] : [{ id, task, node, key, kind, payload, status, answer }],
      )
  }

  open(tenant: string, thread: string): ApprovalRecord[] {
    return this.#inThread(tenant, thread)
      .map((stored) => this.#view(stored))
      .filter(({ status }) => status === 'pending')
  }

  /** All of a thread, in the order they were asked, with whether their superstep took the answer. */
  asked(tenant: string, thread: string): { readonly record: ApprovalRecord; readonly used: boolean }[] {
    return this.#inThread(tenant, thread).map((stored) => ({ record: this.#view(stored), used: stored.used }))
  }

  #inThread(tenant: string, thread: string): StoredApproval[] {
    return [...this.#tables.approvals].filter((one) => one.tenant === tenant && one.record.thread === thread)
  }

  /** Whether somebody has to answer before a run can go on. */
  isAsked(tenant: string, { record: { run } }: StoredRun): boolean {
    return this.#askedBy(tenant, run).some(({ record }) => record.status === 'pending')
  }

  /** What a run has asked is asked no more, and an answer that it has not taken is good for nothing. */
  withdraw(tenant: string, { record: { run } }: StoredRun): void {
    for (const stored of this.#askedBy(tenant, run)) {
      const { status } = stored.record
      if (status === 'pending' || (status === 'answered' && !stored.used)) this.#end(stored, 'cancelled')
    }
  }

  /** What was answered stays for whoever goes on with the superstep that failed; what nobody has answered in time is asked anew. */
  withdrawOpen(tenant: string, { record: { run } }: StoredRun): void {
    for (const stored of this.#askedBy(tenant, run)) {
      if (stored.record.status === 'pending') this.#end(stored, 'cancelled')
      if (stored.record.status === 'expired') stored.used = true
    }
  }

  markUsed(tenant: string, thread: string, superstep: Superstep): void {
    for (const stored of this.#of(tenant, thread, superstep))
      if (stored.record.status === 'answered') stored.used = true
  }

  /** What was answered while its superstep was at work: nobody else would see that the run is due. */
  resumeAnswered(tenant: string, thread: StoredThread, superstep: Superstep): void {
    for (const stored of this.#of(tenant, thread.record.thread, superstep)) {
      const { status } = stored.record
      const finished = thread.saved.some(
        ({ run, step, task, key }) =>
          run === superstep.run && step === superstep.step && task === stored.task && key === '',
      )
      if (!finished && (status === 'expired' || (status === 'answered' && !stored.used))) this.#resume(stored)
    }
  }

  drop(tenant: string, thread: string): void {
    for (const stored of this.#inThread(tenant, thread)) this.#tables.approvals.delete(stored)
    for (const [name, { approval }] of this.#tables.webhooks) {
      if (!this.#tables.approvals.has(approval)) this.#tables.webhooks.delete(name)
    }
  }

  /** A run is due again once a task of it has no open question left. */
  #resume({ tenant, record, task }: StoredApproval): void {
    const run = this.#tables.runs.get(tenant)?.get(record.run)
    const thread = this.#tables.threads.get(tenant)?.get(record.thread)
    const open = this.#askedBy(tenant, record.run).some(
      (other) => other.task === task && other.record.status === 'pending',
    )
    if (run?.record.status !== 'waiting' || thread === undefined || open) return
    const updatedAt = this.#timestamp()
    run.record = { ...run.record, status: 'queued', updatedAt }
    run.asksAtMs = Number.NEGATIVE_INFINITY
    thread.record = { ...thread.record, status: 'busy', updatedAt }
  }

  #end(stored: StoredApproval, status: ApprovalStatus): void {
    stored.record = { ...stored.record, status }
  }

  #find(tenant: string, owner: string | null, id: string): StoredApproval | undefined {
    return [...this.#tables.approvals].find(
      (stored) =>
        stored.tenant === tenant && stored.record.id === id && (owner === null || stored.record.requester === owner),
    )
  }

  #of(tenant: string, thread: string, { run, step }: Superstep): StoredApproval[] {
    return this.#inThread(tenant, thread).filter(({ superstep }) => superstep.run === run && superstep.step === step)
  }

  #askedBy(tenant: string, run: string): StoredApproval[] {
    return [...this.#tables.approvals].filter((stored) => stored.tenant === tenant && stored.record.run === run)
  }

  #isAtWork(tenant: string, owner: string | null, run: string | null): boolean {
    const found = run === null ? undefined : this.#tables.runs.get(tenant)?.get(run)
    const thread = found && this.#tables.threads.get(tenant)?.get(found.record.thread)
    return found !== undefined && isLive(found) && (owner === null || thread?.record.owner === owner)
  }

  #view({ record, expiresAtMs }: StoredApproval): ApprovalRecord {
    return record.status === 'pending' && this.#isOver(expiresAtMs) ? { ...record, status: 'expired' } : record
  }

  #isOver(expiresAtMs: number | undefined): boolean {
    return expiresAtMs !== undefined && expiresAtMs < this.#now()
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString()
  }
}
