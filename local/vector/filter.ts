// Metadata filters: Upstash's grammar, made into one function.
//
//   or        := and (OR and)*                        AND binds tighter than OR
//   and       := condition (AND condition)*
//   condition := ( or ) | HAS [NOT] FIELD name | name operator
//   operator  := = | != literal, < | <= | > | >= number, [NOT] GLOB text, [NOT] IN (literals), [NOT] CONTAINS literal
//
// F1  A condition on a field that is not there is false, also a negated one: `a != 1` asks for an `a`.
// F2  Booleans are 1 and 0, so `true` and `1` are the same literal, and either finds true and 1.
import { glob } from '../glob.ts'
import { type Path, pathOf, valueAt } from './filter-path.ts'
import { filterError, type Word, wordsOf } from './filter-words.ts'
import type { Metadata } from './row.ts'

export interface Filter {
  (metadata: Metadata | undefined): boolean
  /** What everything has that passes. */
  readonly only?: Only
}

/** A text in a field at the top. */
export interface Only {
  readonly field: string
  readonly text: string
}

interface Test {
  (value: unknown): boolean
  readonly literal?: Literal
}

type Literal = string | number

const deepest = 100
const comparisons: Readonly<Record<string, (value: number, literal: number) => boolean>> = {
  '<': (value, literal) => value < literal,
  '<=': (value, literal) => value <= literal,
  '>': (value, literal) => value > literal,
  '>=': (value, literal) => value >= literal,
}

/** Throws a 400 that says what was expected and where. */
export function filterOf(text: string): Filter {
  return new Parser(text).whole()
}

class Parser {
  #words: readonly Word[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#words = wordsOf(text)
  }

  whole(): Filter {
    const filter = this.#or()
    if (this.#word.kind !== 'end') throw this.#expected('AND, OR or the end')
    return filter
  }

  #or(): Filter {
    const parts = [this.#and()]
    while (this.#take('OR')) parts.push(this.#and())
    return parts.length === 1 ? (parts[0] ?? none) : (metadata) => parts.some((part) => part(metadata))
  }

  #and(): Filter {
    const parts = [this.#condition()]
    while (this.#take('AND')) parts.push(this.#condition())
    if (parts.length === 1) return parts[0] ?? none
    return withOnly((metadata) => parts.every((part) => part(metadata)), parts.find(({ only }) => only)?.only)
  }

  #condition(): Filter {
    if (this.#take('(')) {
      if (++this.#depth > deepest) throw filterError(`more than ${deepest} brackets`, this.#word.at)
      const inner = this.#or()
      if (!this.#take(')')) throw this.#expected(')')
      this.#depth -= 1
      return inner
    }
    if (this.#has()) {
      const not = this.#take('NOT')
      if (!this.#take('FIELD')) throw this.#expected('FIELD')
      const path = this.#path()
      return (metadata) => (valueAt(metadata, path) !== undefined) !== not
    }
    const path = this.#path()
    const test = this.#test()
    const [field] = path
    const known = path.length === 1 && typeof field === 'string' && typeof test.literal === 'string'
    return withOnly(
      (metadata) => {
        const value = valueAt(metadata, path)
        return value !== undefined && test(value)
      },
      known ? { field, text: test.literal } : undefined,
    )
  }

  /** `HAS FIELD a` and not a field of the name `has`. */
  #has(): boolean {
    const next = this.#words[this.#at + 1]
    const keyword = next?.kind === 'name' && ['FIELD', 'NOT'].includes(next.text.toUpperCase())
    const negation = keyword && next.text.toUpperCase() === 'NOT'
    return keyword && (!negation || this.#words[this.#at + 2]?.text.toUpperCase() === 'FIELD') && this.#take('HAS')
  }

  #path(): Path {
    const { kind, text } = this.#word
    const path = kind === 'name' ? pathOf(text) : undefined
    if (path === undefined) throw this.#expected('a field')
    this.#at += 1
    return path
  }

  #test(): Test {
    for (const [mark, comparison] of Object.entries(comparisons)) {
      if (!this.#take(mark)) continue
      const literal = this.#number()
      return (value) => typeof value === 'number' && comparison(value, literal)
    }
    if (this.#take('=')) return equal(this.#literal())
    if (this.#take('!=')) return scalarOtherThan([this.#literal()])
    const not = this.#take('NOT')
    if (this.#take('GLOB')) {
      const matches = glob(this.#text())
      return (value) => typeof value === 'string' && matches(value) !== not
    }
    if (this.#take('IN')) {
      const literals = this.#literals()
      return not ? scalarOtherThan(literals) : (value) => literals.some((literal) => equal(literal)(value))
    }
    if (this.#take('CONTAINS')) {
      const one = equal(this.#literal())
      return (value) => Array.isArray(value) && value.some(one) !== not
    }
    throw this.#expected(not ? 'GLOB, IN or CONTAINS' : 'an operator')
  }

  #literals(): Literal[] {
    if (!this.#take('(')) throw this.#expected('(')
    const literals = [this.#literal()]
    while (this.#take(',')) literals.push(this.#literal())
    if (!this.#take(')')) throw this.#expected(', or )')
    return literals
  }

  #literal(): Literal {
    if (this.#take('TRUE')) return 1
    if (this.#take('FALSE')) return 0
    return this.#word.kind === 'number' ? this.#number() : this.#text('a literal')
  }

  #number(): number {
    const { kind, text } = this.#word
    if (kind !== 'number') throw this.#expected('a number')
    this.#at += 1
    return Number(text)
  }

  #text(what = 'a quoted text'): string {
    const { kind, text } = this.#word
    if (kind !== 'text') throw this.#expected(what)
    this.#at += 1
    return text
  }

  get #word(): Word {
    return this.#words[this.#at] ?? { kind: 'end', text: '', at: 0 }
  }

  /** Keywords in any case. What is quoted is none. */
  #take(expected: string): boolean {
    const { kind, text } = this.#word
    const found = (kind === 'name' || kind === 'mark') && text.toUpperCase() === expected
    if (found) this.#at += 1
    return found
  }

  #expected(what: string): Error {
    const { kind, text, at } = this.#word
    return filterError(`expected ${what}, found ${kind === 'end' ? 'the end' : JSON.stringify(text)}`, at)
  }
}

const none: Filter = () => false

function withOnly(filter: Filter, only: Only | undefined): Filter {
  return only === undefined ? filter : Object.assign(filter, { only })
}

function equal(literal: Literal): Test {
  const test = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value) === literal
  return Object.assign(test, { literal })
}

/** Objects, arrays and null are equal to no literal, and not other than one either. */
function scalarOtherThan(literals: readonly Literal[]): Test {
  const tests = literals.map(equal)
  return (value) => ['string', 'number', 'boolean'].includes(typeof value) && !tests.some((test) => test(value))
}
