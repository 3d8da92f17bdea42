// The data of `npm run bench -- memory`: memories, and questions with the ids of those that answer them, as JSON Lines.
import { readFile } from 'node:fs/promises'
import { messageOf, RecollectError } from '../src/kernel/errors.ts'
import { wholeItem } from '../src/kernel/item.ts'
import { assertItemKey, assertNamespace } from '../src/kernel/namespace.ts'

export interface MemoryItem {
  readonly id: string
  readonly namespace: readonly string[]
  readonly text: string
  /** What was said beside it. */
  readonly before?: string
  readonly after?: string
}

/** Asked in its own namespace only. */
export interface MemoryQuestion {
  readonly id: string
  readonly namespace: readonly string[]
  readonly text: string
  /** Ids of items. */
  readonly answers: readonly string[]
}

export interface MemoryData {
  readonly items: readonly MemoryItem[]
  readonly questions: readonly MemoryQuestion[]
}

type Line = ({ readonly kind: 'item' } & MemoryItem) | ({ readonly kind: 'question' } & MemoryQuestion)
type Placed = Line & { readonly place: string }

/**
 * Throws `input_invalid`, with the number of the line, on one that is neither, that a store would not take, or that says again what is
 * there. A question without an answer in its namespace is left out, and told to `say`.
 */
export async function memoryData(file: string | URL, say: (line: string) => void): Promise<MemoryData> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw refused(`${file} cannot be read: ${error instanceof Error ? error.message : error}`)
  })
  const lines = text.split('\n').flatMap((line, index) => {
    return line.trim() === '' ? [] : [lineOf(line.trim(), `${file}:${index + 1}`)]
  })
  assertOnce(lines)
  const items = lines.filter((line) => line.kind === 'item')
  const there = new Set(items.map(({ namespace, id }) => placeOf(namespace, id)))
  const unanswered: string[] = []
  const questions = lines.flatMap((line) => {
    if (line.kind !== 'question') return []
    const answers = [...new Set(line.answers)].filter((id) => there.has(placeOf(line.namespace, id)))
    if (answers.length > 0) return [{ ...line, answers }]
    unanswered.push(`${line.place}: left out, since no item of ${JSON.stringify(line.namespace)} answers "${line.id}".`)
    return []
  })
  unanswered.slice(0, mostTold).forEach(say)
  if (unanswered.length > mostTold) say(`So are ${unanswered.length - mostTold} more questions.`)
  if (questions.length === 0) throw refused(`${file} has no question that an item of it answers.`)
  return { items, questions }
}

const mostTold = 5

function assertOnce(lines: readonly Placed[]): void {
  const first = new Map<string, string>()
  for (const { kind, namespace, id, place } of lines) {
    const name = JSON.stringify([kind, namespace, id])
    const before = first.get(name)
    if (before !== undefined) {
      throw refused(
        `${place} is a second ${kind} "${id}" of ${JSON.stringify(namespace)}: the first is ${before}. Give each an id of its own.`,
      )
    }
    first.set(name, place)
  }
}

function lineOf(text: string, place: string): Placed {
  const line = jsonOf(text, place)
  if (!isLine(line)) {
    throw refused(
      `${place} is neither {"kind":"item","id","namespace":[…],"text","before"?,"after"?} nor {"kind":"question","id","namespace":[…],"text","answers":[…]}.`,
    )
  }
  try {
    assertNamespace(line.namespace)
    if (line.kind === 'item') {
      assertItemKey(line.id)
      wholeItem({ value: { text: line.text } })
    }
  } catch (error) {
    throw refused(`${place}: ${messageOf(error)}`)
  }
  return { ...line, place }
}

function jsonOf(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refused(`${place} is not JSON: ${messageOf(error)}`)
  }
}

function refused(message: string): RecollectError {
  return new RecollectError('input_invalid', message)
}

function isLine(line: unknown): line is Line {
  if (typeof line !== 'object' || line === null) return false
  const { kind, id, namespace, text, before, after, answers } = line as Readonly<Record<string, unknown>>
  const isText = (value: unknown) => typeof value === 'string'
  const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText)
  if (!isText(id) || !isText(text) || !isTexts(namespace)) return false
  if (kind === 'question') return isTexts(answers)
  return kind === 'item' && [before, after].every((value) => value === undefined || isText(value))
}

export function placeOf(namespace: readonly string[], id: string): string {
  return JSON.stringify([namespace, id])
}
