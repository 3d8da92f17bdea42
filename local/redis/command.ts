// One line of the command table, and the reader of option words after the fixed arguments.
import type { Bytes } from './bytes.ts'
import type { Keyspace } from './keyspace.ts'
import { type Reply, syntaxError } from './reply.ts'

/** Arguments after the command's name. The arity was checked, so the fixed ones are there. */
export type Run = (keys: Keyspace, ...args: Bytes[]) => Reply

export interface Command {
  /** As Redis counts it: with the name, and negative where it is the least number. */
  arity: number
  writes: boolean
  /** False for what would nest a script or a subscription inside a script. */
  scriptable: boolean
  run: Run
}

/** By upper-case name; a subcommand is `SCRIPT|LOAD`. */
export type Commands = Record<string, Command>

export const reads = (arity: number, run: Run): Command => ({ arity, writes: false, scriptable: true, run })
export const writes = (arity: number, run: Run): Command => ({ arity, writes: true, scriptable: true, run })
export const outsideScripts = (arity: number, run: Run): Command => ({ arity, writes: false, scriptable: false, run })

export class Words {
  #words: Bytes[]
  #at = 0

  constructor(words: Bytes[]) {
    this.#words = words
  }

  get left(): number {
    return this.#words.length - this.#at
  }

  /** The next word in upper case, taken. */
  option(): string {
    return this.value().toUpperCase()
  }

  /** The next word, taken; a syntax error where there is none. */
  value(): Bytes {
    const word = this.#words[this.#at++]
    if (word === undefined) throw syntaxError()
    return word
  }

  /** Takes the next word if it is this one. */
  skip(option: string): boolean {
    const found = this.#words[this.#at]?.toUpperCase() === option
    if (found) this.#at++
    return found
  }

  take(size: number): Bytes[] {
    this.#at += size
    return this.#words.slice(this.#at - size, this.#at)
  }

  rest(): Bytes[] {
    return this.take(this.left)
  }
}

/** `a b c d` as `[a, b] [c, d]`. */
export function pairs(flat: Bytes[]): [Bytes, Bytes][] {
  const result: [Bytes, Bytes][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) result.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return result
}
