// Interrupts: typed questions that stop a run until a person has answered.
import { RecollectError } from '../kernel/errors.ts'
import type { StandardSchema } from '../kernel/schema.ts'

/** Who may answer, and until when. */
export interface InterruptTerms {
  /** `owner` of the thread, or an `approver`: a principal with the scope to approve. `owner` unless told otherwise. */
  readonly answerer?: 'owner' | 'approver'
  /** Only these users. Any unless given. */
  readonly approvers?: readonly string[]
  /** True: somebody else than the thread's owner. */
  readonly notRequester?: boolean
  /** In milliseconds; then asking fails with `approval_expired`. Never unless told otherwise. */
  readonly expiresInMs?: number
}

/** A question without its types, as graphs hold it. */
export interface AnyInterrupt {
  readonly name: string
  readonly payload: StandardSchema
  readonly answer: StandardSchema
  readonly terms: InterruptTerms
  readonly misfit?: (answer: never, payload: never) => Promise<string | undefined>
  readonly bound?: (payload: never) => unknown
}

/** A question: what is shown, and what an answer looks like. */
export interface Interrupt<Payload = unknown, Answer = unknown> extends AnyInterrupt {
  readonly payload: StandardSchema<unknown, Payload>
  readonly answer: StandardSchema<unknown, Answer>
  /** Why a valid answer does not fit what was asked. */
  readonly misfit?: (answer: Answer, payload: Payload) => Promise<string | undefined>
  /** What of the payload an answer is for: asked with anything else there, it is another question. All of it unless given. */
  readonly bound?: (payload: Payload) => unknown
}

const names = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * `interrupt('review', { payload: z.object({ draft: z.string() }), answer: z.object({ approved: z.boolean() }) })`. A node that
 * asks it names it: `{ interrupts: [review], run }`. Throws `graph_invalid` for a name of other characters.
 */
export function interrupt<Payload, Answer>(
  name: string,
  {
    payload,
    answer,
    ...terms
  }: InterruptTerms & {
    readonly payload: StandardSchema<unknown, Payload>
    readonly answer: StandardSchema<unknown, Answer>
  },
): Interrupt<Payload, Answer> {
  if (!names.test(name)) {
    throw new RecollectError('graph_invalid', `The interrupt name "${name}" must be 1 to 64 of A–Z a–z 0–9 _ . -.`)
  }
  return { name, payload, answer, terms }
}
