// What the script writes into long-term memory: the simple statements among the messages it is given, beside what is remembered.
import { type Fact, lastingStatements, valueIn } from './facts.ts'

/** As the tool `write_memories` takes it; memories and messages by their number. */
export interface WrittenMemory {
  action: 'add' | 'update' | 'delete' | 'keep'
  text?: string
  memory?: number
  from: number[]
}

interface Known {
  text: string
  /** Absent: it is new. */
  memory?: number
  written?: WrittenMemory
}

export function memoriesWritten(asked: string): WrittenMemory[] {
  const known: Known[] = numbered(asked, 'memory').map(({ number, text }) => ({ text, memory: number }))
  const written: WrittenMemory[] = []
  for (const { number, text } of numbered(asked, 'message')) {
    for (const { fact, value, holds } of lastingStatements(text)) {
      const rival = known.find((one) => isRival(one.text, fact, value))
      const said = holds ? fact.kept?.(value) : undefined
      if (said === undefined && rival === undefined) continue
      if (rival?.written === undefined) {
        const memory = rival?.memory
        const made: WrittenMemory = {
          ...actionOf(said, rival),
          ...(memory !== undefined && { memory }),
          from: [number],
        }
        written.push(made)
        if (rival === undefined) known.push({ text: said ?? '', written: made })
        else Object.assign(rival, { text: said ?? '', written: made })
      } else {
        // Said again, or otherwise, in the same breath: the last word counts.
        const { written: before, memory } = rival
        Object.assign(before, actionOf(said, memory === undefined ? undefined : rival))
        before.from.push(number)
        rival.text = said ?? ''
      }
    }
  }
  return written.filter(({ action, memory }) => action === 'add' || memory !== undefined)
}

function actionOf(said: string | undefined, rival: Known | undefined): Pick<WrittenMemory, 'action' | 'text'> {
  if (said === undefined) return { action: 'delete' }
  if (rival === undefined) return { action: 'add', text: said }
  return { action: same(rival.text, said) ? 'keep' : 'update', text: said }
}

/** Whether a memory is of the same: of what there may be several, one that ends or begins alike ("dark mode", "light mode"). */
function isRival(memory: string, fact: Fact, value: string): boolean {
  const remembered = valueIn(memory, fact)
  if (remembered === undefined) return false
  const [old, fresh] = [wordsOf(remembered), wordsOf(value)]
  const beginAlike = old.length > 2 && old.slice(0, 2).join(' ') === fresh.slice(0, 2).join(' ')
  return fact.single || old.at(-1) === fresh.at(-1) || beginAlike
}

const wordsOf = (text: string) => text.toLowerCase().split(/[^\p{L}\d]+/u)

function same(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '')
}

function numbered(asked: string, tag: 'message' | 'memory'): { number: number; text: string }[] {
  const tags = new RegExp(`<${tag} number="(\\d+)"[^>]*>([\\s\\S]*?)</${tag}>`, 'g')
  return Array.from(asked.matchAll(tags), ([, number, text = '']) => ({ number: Number(number), text: plain(text) }))
}

function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}
