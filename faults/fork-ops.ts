// What writers do to a thread of branches, at random.

import * as z from 'zod/mini'
import { interrupt } from '../src/index.ts'
import type { Op, Values } from './fork-model.ts'
import type { Random } from './random.ts'

export const colour = interrupt('colour', { payload: z.string(), answer: z.string() })

export class ForkOps {
  readonly #random: Random
  readonly #thread: string
  #runs = 0

  constructor(random: Random, thread: string) {
    this.#random = random
    this.#thread = thread
  }

  /** Any, also what is refused. `asked`: somebody may answer; `last`: the newest checkpoint. */
  any(asked: boolean, { head, last }: { readonly head: number; readonly last: number }): Op {
    const random = this.#random
    // Where something was left behind that is not the fork's.
    if (head > 0 && random.chance(0.15)) return { kind: 'onward', run: this.#run(), from: head }
    if (random.chance(0.15)) return { kind: 'onward', run: this.#run() }
    if (asked && random.chance(0.5)) {
      return random.chance(0.2) ? { kind: 'cancel' } : { kind: 'answer', answer: this.#one('red', 'bad') }
    }
    const kind = this.#one('input', 'input', 'onward', 'goto', 'update', 'update')
    if (kind === 'update') return this.#update(last)
    const place = { run: this.#run(), ...this.#from(last) }
    if (kind === 'onward') return { kind, ...place }
    if (kind === 'goto') return { kind, ...place, values: this.#values(), node: this.#one('a', 'ask', 'b', 'c') }
    return { kind: 'input', ...place, values: this.#values(), push: random.chance(0.5) }
  }

  /** One that leaves a checkpoint when it is not refused, by which its place is known. */
  lasting(asked: boolean, last: number): Op {
    if (asked && this.#random.chance(0.4)) return { kind: 'answer', answer: this.#one('red', 'blue') }
    if (this.#random.chance(0.4)) return this.#update(last)
    const place = { run: this.#run(), ...this.#from(last) }
    return { kind: 'input', ...place, values: this.#values(), push: this.#random.chance(0.6) }
  }

  #update(last: number): Op {
    const as = this.#random.chance(0.6) ? { asNode: this.#one('start', 'a', 'ask', 'b', 'c') } : {}
    return { kind: 'update', run: '', ...this.#from(last), values: this.#values(), ...as }
  }

  #from(last: number): { from?: number } {
    return last > 0 && this.#random.chance(0.5) ? { from: 1 + this.#random.int(last) } : {}
  }

  #run(): string {
    return `${this.#thread}-${++this.#runs}`
  }

  #values(): Partial<Values> {
    const random = this.#random
    return {
      ...(random.chance(0.8) && { log: [`in:${random.int(1_000)}`] }),
      ...(random.chance(0.8) && { word: this.#one('plain', 'ask', 'both', 'fail', 'ask') }),
      ...(random.chance(0.2) && { list: Array.from({ length: random.int(9) }, () => random.int(5)) }),
      // Heavy enough that snapshots are due.
      ...(random.chance(0.3) && { pad: this.#one('x', 'y').repeat(random.int(9_000)) }),
    }
  }

  #one<Item extends string>(...items: readonly [Item, ...Item[]]): Item {
    return this.#random.pick(items) ?? items[0]
  }
}
