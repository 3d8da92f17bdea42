// What one attempt of a task asks, and the end that it comes to when nobody has answered yet.
import type { Interrupt, InterruptTerms } from '../graph/interrupt.ts'
import { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { decode, encode } from '../kernel/json.ts'
import { validate } from '../kernel/schema.ts'
import type { Question } from '../ports/approvals.ts'
import type { RunScope, TaskPlace } from './run-scope.ts'

export class Asking {
  readonly #scope: RunScope
  readonly #place: TaskPlace
  /** How often the same was asked before in this attempt. */
  readonly #counts = new Map<string, number>()
  readonly questions: Question[] = []
  /** Called when the attempt is suspended. A promise that no `catch` of the node can swallow would be one more for every task. */
  onSuspended: (() => void) | undefined

  constructor(scope: RunScope, place: TaskPlace) {
    this.#scope = scope
    this.#place = place
  }

  /** The answer; or, for a question that nobody has answered, a promise that never settles. */
  async ask<Payload, Answer>(
    question: Interrupt<Payload, Answer>,
    payload: Payload,
    terms: InterruptTerms = {},
  ): Promise<Answer> {
    const { name, payload: schema } = question
    const { step, index, node } = this.#place
    this.#assertKnown(question)
    const failure = { code: 'node_failed', what: `What node "${node}" asks by interrupt "${name}"` } as const
    const shown = await validate(schema, payload, failure)
    const text = encode(shown)
    const key = this.#keyOf(`${name}:${hashOf(question.bound === undefined ? text : encode(question.bound(shown)))}`)
    const { parts } = await this.#scope.held
    const given = parts.answer(step, index, key)
    // It was valid when it was accepted.
    if (given?.status === 'answered' && given.answer !== null) return decode(given.answer) as Answer
    if (given?.status === 'expired') {
      throw new RecollectError('approval_expired', `Nobody answered interrupt "${name}" of node "${node}" in time.`)
    }
    this.questions.push(this.#question(key, name, text, { ...question.terms, ...terms }))
    // A little later: what the node asks at the same time is asked together.
    setTimeout(() => this.onSuspended?.())
    return new Promise(() => {})
  }

  #question(key: string, kind: string, payload: string, terms: InterruptTerms): Question {
    const { tenant, thread = '', run } = this.#scope
    const { index: task, node, name } = this.#place
    const { answerer = 'owner', approvers = null, notRequester = false, expiresInMs = null } = terms
    const id = `ap_${hashOf(tenant, thread, run, name.run, `${name.step}:${task}`, key)}`
    return { id, task, node, key, kind, payload, answerer, approvers, notRequester, expiresInMs }
  }

  #keyOf(asked: string): string {
    const count = this.#counts.get(asked) ?? 0
    this.#counts.set(asked, count + 1)
    return `${asked}:${count}`
  }

  #assertKnown({ name }: { readonly name: string }): void {
    const { node } = this.#place
    if (this.#scope.thread === undefined) {
      throw new RecollectError(
        'thread_missing',
        `Node "${node}" asks a person, and the answer comes in a thread: run the graph with a checkpointer and a thread.`,
      )
    }
    if (this.#place.interrupts.some((known) => known.name === name)) return
    throw new RecollectError(
      'interrupt_unknown',
      `Node "${node}" asks by interrupt "${name}", which it does not name. Name it: { interrupts: [${name}], run }.`,
    )
  }
}
