// What a thread of branches must hold, by itself: whole states, copied, and no deltas, no storage, no claims.

export interface Values {
  readonly log: readonly string[]
  readonly word: string
  readonly list: readonly number[]
  readonly pad: string
}

export interface ModelCheckpoint {
  readonly parent: number
  readonly run: string
  readonly step: number
  readonly values: Values
  readonly next: readonly string[]
}

/** `from`: a fork. `goto`: as a command. */
export type Op =
  | {
      readonly kind: 'input'
      readonly run: string
      readonly from?: number
      readonly values: Partial<Values>
      readonly push: boolean
    }
  | { readonly kind: 'onward'; readonly run: string; readonly from?: number }
  | {
      readonly kind: 'goto'
      readonly run: string
      readonly from?: number
      readonly values: Partial<Values>
      readonly node: string
    }
  /** Its run's name is made by the runtime. */
  | {
      readonly kind: 'update'
      readonly run: string
      readonly from?: number
      readonly values: Partial<Values>
      readonly asNode?: string
    }
  | { readonly kind: 'answer'; readonly answer: string }
  | { readonly kind: 'cancel' }

/** `success`, `interrupted`, or the code of what it throws. */
export type Told = string

interface Superstep {
  readonly name: string
  /** What tasks have written that are done with it: node → line. */
  readonly finished: Map<string, string>
  answer: string | undefined
}

interface Run {
  readonly run: string
  step: number
  superstep: Superstep
}

/** start → a → by the word: b, ask, or both → c. */
export function route(word: string): ('ask' | 'b')[] {
  return word === 'ask' ? ['ask'] : word === 'both' ? ['ask', 'b'] : ['b']
}

export function next(node: string, word: string): string[] {
  return node === 'start' ? ['a'] : node === 'a' ? route(word) : node === 'c' ? [] : ['c']
}

/** What `a` makes of the list. */
export function turned(list: readonly number[]): number[] {
  return list.length > 6 ? list.slice(2) : [list.length, ...list.slice(1), 7]
}

const empty: Values = { log: [], word: '', list: [], pad: '' }
const start: Pick<ModelCheckpoint, 'values' | 'next'> = { values: empty, next: [] }

export class ForkModel {
  readonly checkpoints: ModelCheckpoint[] = []
  head = 0
  /** The run that waits for an answer. */
  waiting: Run | undefined
  /** Runs of this thread: a copy has none. */
  readonly #runs = new Set<string>()
  /** What a superstep has left behind that failed. */
  #left: Superstep | undefined
  /** Superstep → what was answered there, and is not yet used up. */
  readonly #answers = new Map<string, string>()

  get last(): number {
    return this.checkpoints.length
  }

  at(seq: number): ModelCheckpoint | undefined {
    return this.checkpoints[seq - 1]
  }

  /** Newest first. */
  get branch(): number[] {
    const seqs: number[] = []
    for (let seq = this.head; seq > 0; seq = this.at(seq)?.parent ?? 0) seqs.push(seq)
    return seqs
  }

  copy(): ForkModel {
    const copy = new ForkModel()
    copy.checkpoints.push(...this.checkpoints)
    copy.head = this.head
    return copy
  }

  /** Does it, and gives what whoever asks for it is told. */
  apply(op: Op): Told {
    if (op.kind === 'answer') return this.#answer(op.answer)
    if (op.kind === 'cancel') {
      this.waiting = undefined
      this.#left = undefined
      return 'success'
    }
    if (this.waiting !== undefined && op.from === undefined) {
      if (op.kind === 'onward') return 'interrupted'
      if ((op.kind === 'input' && !op.push) || op.kind === 'goto') return 'run_interrupted'
    }
    this.waiting = undefined
    this.head = op.from ?? this.head
    const name = this.#nameOf(op)
    this.#runs.add(op.run)
    const finished = this.#left?.name === name ? this.#left.finished : new Map<string, string>()
    const run: Run = { run: op.run, step: 0, superstep: { name, finished, answer: this.#answers.get(name) } }
    if (op.kind !== 'onward') this.#takeIn(op)
    return op.kind === 'update' ? 'success' : this.#advance(run)
  }

  /** A superstep is gone on with under its name only where nobody has been since. */
  #nameOf(op: Exclude<Op, { kind: 'answer' | 'cancel' }>): string {
    const head = this.at(this.head)
    const branched = this.checkpoints.some(({ parent }) => parent === this.head)
    const goesOn = op.kind === 'onward' && op.from === undefined && head !== undefined && !branched
    return goesOn && this.#runs.has(head.run) ? `${head.run}:${head.step + 1}` : `${op.run}:1`
  }

  #takeIn(op: Exclude<Op, { kind: 'answer' | 'cancel' | 'onward' }>): void {
    const before = this.at(this.head)
    const { log = [], ...others } = op.values
    const old = before?.values ?? empty
    const values = { ...old, ...others, log: [...old.log, ...log] }
    const due = () => {
      if (op.kind === 'input') return ['a']
      if (op.kind === 'goto') return [op.node]
      return op.asNode === undefined ? (before?.next ?? []) : next(op.asNode, values.word)
    }
    this.#commit(op.run, 0, values, due())
  }

  #commit(run: string, step: number, values: Values, due: readonly string[]): void {
    this.checkpoints.push({ parent: this.head, run, step, values, next: due })
    this.head = this.last
  }

  #answer(answer: string): Told {
    const { waiting } = this
    if (waiting === undefined) return 'approval_cancelled'
    this.waiting = undefined
    waiting.superstep.answer = answer
    return this.#advance(waiting)
  }

  #advance(run: Run): Told {
    for (;;) {
      const { values, next: due } = this.at(this.head) ?? start
      this.#left = undefined
      if (due.length === 0) return 'success'
      const { superstep } = run
      let [asks, fails] = [false, false]
      for (const node of due) {
        if (superstep.finished.has(node)) continue
        if (node === 'ask' && superstep.answer === undefined) asks = true
        else if ((node === 'ask' && superstep.answer === 'bad') || (node === 'b' && values.word === 'fail'))
          fails = true
        else superstep.finished.set(node, node === 'ask' ? `ask:${run.run}=${superstep.answer}` : `${node}:${run.run}`)
      }
      if (fails) {
        this.#left = superstep
        if (superstep.answer !== undefined) this.#answers.set(superstep.name, superstep.answer)
        return 'node_failed'
      }
      if (asks) {
        this.waiting = run
        return 'interrupted'
      }
      this.#answers.delete(superstep.name)
      run.step++
      const lines = due.map((node) => superstep.finished.get(node) ?? '')
      const after = { ...values, log: [...values.log, ...lines] }
      if (due.includes('a')) after.list = turned(values.list)
      if (due.includes('c')) after.list = values.list.toReversed()
      this.#commit(run.run, run.step, after, [...new Set(due.flatMap((node) => next(node, values.word)))])
      run.superstep = { name: `${run.run}:${run.step + 1}`, finished: new Map(), answer: undefined }
    }
  }
}
