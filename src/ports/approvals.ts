// The port to questions that tasks have asked: bound to what was shown, answered once, kept with who answered.

/** As the commit of a suspended superstep brings it. The id is the same whenever the same question is asked again there. */
export interface Question {
  readonly id: string
  /** Place of the task in task order. */
  readonly task: number
  readonly node: string
  /** Of the question in its task; it has the hash of the payload in it. */
  readonly key: string
  /** What it is called. */
  readonly kind: string
  /** Encoded: exactly what is shown. */
  readonly payload: string
  /** `owner`: whoever owns the thread, or an approver. `approver`: a principal who may approve. */
  readonly answerer: 'owner' | 'approver'
  /** Only these users; `null`: any. */
  readonly approvers: readonly string[] | null
  /** True: not the thread's owner. */
  readonly notRequester: boolean
  /** `null`: it never expires. */
  readonly expiresInMs: number | null
}

/** `expired`: nobody answered in time. `cancelled`: it is asked no more, for its run has ended or was pushed aside. */
export type ApprovalStatus = 'pending' | 'answered' | 'expired' | 'cancelled'

export interface ApprovalRecord extends Omit<Question, 'key' | 'expiresInMs'> {
  readonly thread: string
  readonly run: string
  readonly graph: string
  /** The thread's owner. */
  readonly requester: string
  /** The checkpoint that it was asked at. */
  readonly seq: number
  readonly status: ApprovalStatus
  /** Encoded; `null`, as what is known of the answer: nobody has answered. */
  readonly answer: string | null
  readonly answeredBy: string | null
  /** The road it came by. */
  readonly answeredVia: string | null
  /** ISO 8601. */
  readonly answeredAt: string | null
  /** `null`: never. */
  readonly expiresAt: string | null
  readonly createdAt: string
}

export interface AnswerApproval {
  readonly tenant: string
  readonly id: string
  /** Whose threads the answerer may see; `null`: all of the tenant. */
  readonly owner: string | null
  /** Who answers; it is kept. */
  readonly by: string
  /** Whether they may answer what asks for an approver. */
  readonly approver: boolean
  /** The road it comes by, such as `api`; it is kept too. */
  readonly via: string
  /** Encoded; `null`: it is not valid, and only noted. */
  readonly answer: string | null
  /** Of this attempt: random, or the id of the webhook that brought it, which is remembered. */
  readonly token: string
  /** Whether the token is the id of a webhook. */
  readonly webhook: boolean
  /** The run that the answerer believes has asked: while it is at work, a question that is not there yet is `early`. `null`: they name none. */
  readonly run: string | null
}

/**
 * `repeated`: this very attempt, or webhook, was accepted before. `answered`, `expired`, `cancelled`: it is too late. `forbidden`: it is
 * not theirs to answer. `invalid`: the answer was `null`. `early`: see `run`. Nothing is changed but by `accepted`.
 */
export type AnswerOutcome =
  | {
      readonly outcome: 'accepted' | 'repeated' | 'forbidden' | 'invalid' | Exclude<ApprovalStatus, 'pending'>
      readonly approval: ApprovalRecord
    }
  | { readonly outcome: 'early' | 'unknown' }

/** `null`: whatever it is. */
export interface ApprovalSearch {
  readonly tenant: string
  readonly owner: string | null
  readonly thread: string | null
  readonly run: string | null
  readonly status: ApprovalStatus | null
  readonly limit: number
  readonly offset: number
}

/** Everyone who tried to answer, and what they were told. */
export interface ApprovalAttempt {
  /** ISO 8601. */
  readonly at: string
  readonly by: string
  readonly via: string
  /** That of the answer. */
  readonly outcome: string
}

/** Every method throws as the `Checkpointer` does. */
export interface Approvals {
  /** In one statement, which also makes its run due. Sent again with the same token it is told the same again. */
  answer(request: AnswerApproval): Promise<AnswerOutcome>
  /** `undefined`: there is none, or it is of a thread of another owner. */
  get(key: { readonly tenant: string; readonly owner: string | null }, id: string): Promise<ApprovalRecord | undefined>
  /** Newest first. */
  list(search: ApprovalSearch): Promise<readonly ApprovalRecord[]>
  /** Oldest first. */
  attempts(tenant: string, id: string): Promise<readonly ApprovalAttempt[]>
  /** Ends questions whose time is over: their runs are due. Gives how many. */
  expire(limit: number): Promise<number>
  /** Forgets ids of webhooks that were accepted longer ago. */
  purge(olderThanMs: number): Promise<void>
}
