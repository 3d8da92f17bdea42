// The data of `npm run bench -- memory`: memories, and questions with the ids of those that answer them, as JSON Lines.
import { readFile } from 'node:fs/promises'

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

/** Throws on a line that is neither; a question without an answer in its namespace is left out, and told to `say`. */
export async function memoryData(file: string | URL, say: (line: string) => void): Promise<MemoryData> {
  const lines = (await readFile(file, 'utf8')).split('\n').flatMap((text, index) => {
    return text.trim() === '' ? [] : [lineOf(text, `${file}:${index + 1}`)]
  })
  const items = lines.filter((line) => line.kind === 'item')
  const there = new Set(items.map(({ namespace, id }) => placeOf(namespace, id)))
  const asked = lines.filter((line) => line.kind === 'question')
  const questions = asked.flatMap((question) => {
    const answers = question.answers.filter((id) => there.has(placeOf(question.namespace, id)))
    return answers.length === 0 ? [] : [{ ...question, answers: [...new Set(answers)] }]
  })
  if (questions.length < asked.length)
    say(`${asked.length - questions.length} questions have no answer among the items.`)
  if (questions.length === 0) throw new Error(`${file} has no question that an item of it answers.`)
  return { items, questions }
}

function lineOf(text: string, place: string): Line {
  const line: unknown = JSON.parse(text)
  if (isLine(line)) return line
  throw new Error(
    `${place} is neither {"kind":"item","id","namespace":[…],"text","before"?,"after"?} nor {"kind":"question","id","namespace":[…],"text","answers":[…]}.`,
  )
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
