// The words of a metadata filter: identifiers and keywords, quoted texts, numbers, operators, brackets.
import { VectorError } from './vector-error.ts'

export interface Word {
  readonly kind: 'name' | 'text' | 'number' | 'mark' | 'end'
  /** Without the quotes of a text. */
  readonly text: string
  /** Where it begins, from 0. */
  readonly at: number
}

/**
 * A text ends at the next quote of its kind: Upstash documents no way to write that quote inside it, so what looks like one
 * is an error here rather than a guess.
 */
const pattern =
  /\s+|(?<name>[a-zA-Z_][a-zA-Z_0-9.[\]#-]*)|'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<mark>!=|<=|>=|[=<>(),])/y

export function wordsOf(filter: string): Word[] {
  const words: Word[] = []
  let at = 0
  while (at < filter.length) {
    pattern.lastIndex = at
    const { name, single, double, number, mark } = pattern.exec(filter)?.groups ?? {}
    if (pattern.lastIndex === 0) throw filterError(`unexpected ${JSON.stringify(filter[at])}`, at)
    const text = single ?? double
    if (name !== undefined) words.push({ kind: 'name', text: name, at })
    else if (text !== undefined) words.push({ kind: 'text', text, at })
    else if (number !== undefined) words.push({ kind: 'number', text: number, at })
    else if (mark !== undefined) words.push({ kind: 'mark', text: mark, at })
    at = pattern.lastIndex
  }
  return [...words, { kind: 'end', text: '', at }]
}

export function filterError(problem: string, at: number): VectorError {
  return new VectorError(400, `Invalid filter: ${problem} at position ${at}`)
}
