// The simple facts about a person that the script can hear, find again and repeat.
import type { Conversation } from './conversation.ts'

export interface Fact {
  /** As the user says it. */
  stated: RegExp
  /** As a memory may have it, in the first or the third person; not the imperative of a system prompt ("Prefer …"). */
  recalled: RegExp
  question: RegExp
  known(value: string): string
  unknown: string
  /** How it is kept for later conversations; absent: it is passing. */
  kept?(value: string): string
  /** How the user says that it holds no longer. */
  over?: RegExp
  /** Of several, the newest alone holds. */
  single: boolean
}

/** A value ends with its sentence, at the next clause about the user, or at a mark that a list of memories would use. */
const value = /(\S.*?)(?=[.!?;]+(?:[\s"<]|$)|,?\s+and\s+(?:i|my)\b|,\s*(?:i|my)\b|\s*["<[(\n]|\s*$)/.source
const personName = /(\p{L}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*)*)/u.source

/** Before "I live in …": what makes something else of it than a statement. */
const notStated = /(?<!\b(?:do|forget|forget that) )\b/.source
/** Before "live in …": that it holds no longer, or is to be forgotten. */
const noLonger = /\b(?:i (?:no longer|do not|don['’]t)|forget (?:that )?i)/.source

const facts: Record<'name' | 'home' | 'work' | 'deployment' | 'preference' | 'order', Fact> = {
  name: {
    // Case matters here: it tells "Ada Lovelace" from "Ada by the way".
    stated: new RegExp(`\\b[Mm]y name(?: is|['’]s) ${personName}`, 'gu'),
    recalled: new RegExp(`(?<![Yy]our )\\b[Nn]ame(?: is|:) ${personName}`, 'gu'),
    question: /\bwhat(?: is|['’]s) my name\b|\bwho am i\b|\bmy name\?/i,
    known: (name) => `your name is ${name}`,
    unknown: 'your name',
    kept: (name) => `Name is ${name}.`,
    single: true,
  },
  home: {
    stated: new RegExp(`${notStated}i live in ${value}`, 'gi'),
    recalled: new RegExp(`\\b(?:lives|i live) in ${value}`, 'gi'),
    question: /\bwhere do i live\b/i,
    known: (place) => `you live in ${place}`,
    unknown: 'where you live',
    kept: (place) => `Lives in ${place}.`,
    over: new RegExp(`${noLonger} live in ${value}`, 'gi'),
    single: true,
  },
  work: {
    stated: new RegExp(`${notStated}i work on ${value}`, 'gi'),
    recalled: new RegExp(`\\b(?:works|i work) on ${value}`, 'gi'),
    question: /\bwhat do i work on\b|\bwhat am i working on\b/i,
    known: (subject) => `you work on ${subject}`,
    unknown: 'what you work on',
    kept: (subject) => `Works on ${subject}.`,
    over: new RegExp(`${noLonger} work on ${value}`, 'gi'),
    single: true,
  },
  deployment: {
    stated: new RegExp(`${notStated}i deploy on ${value}`, 'gi'),
    recalled: new RegExp(`\\b(?:deploys|i deploy) on ${value}`, 'gi'),
    question: /\b(?:where|what) do i deploy\b/i,
    known: (platform) => `you deploy on ${platform}`,
    unknown: 'where you deploy',
    kept: (platform) => `Deploys on ${platform}.`,
    over: new RegExp(`${noLonger} deploy on ${value}`, 'gi'),
    single: true,
  },
  preference: {
    stated: new RegExp(`${notStated}i prefer ${value}`, 'gi'),
    recalled: new RegExp(`\\b(?:prefers|i prefer) ${value}`, 'gi'),
    question: /\bwhat do i prefer\b/i,
    known: (choice) => `you prefer ${choice}`,
    unknown: 'what you prefer',
    kept: (choice) => `Prefers ${choice}.`,
    over: new RegExp(`${noLonger} prefer ${value}`, 'gi'),
    single: false,
  },
  order: {
    stated: new RegExp(`\\bmy order(?: number)? is ${value}`, 'gi'),
    recalled: /\border(?: number)?(?: is|:) #?([\w-]*\d[\w-]*)/gi,
    question: /\b(?:what|which)(?: is|['’]s)? my order\b|\bwhich order is mine\b/i,
    known: (order) => `your order is ${order}`,
    unknown: 'your order',
    single: false,
  },
}

/** The answer to a question about the user, or nothing if none was asked. What the conversation says beats memories. */
export function factAsked(conversation: Conversation): string | undefined {
  const fact = Object.values(facts).find(({ question }) => question.test(conversation.asked))
  if (fact === undefined) return undefined
  const heard = heardIn(conversation.said, fact)
  if (heard !== undefined) return `${capitalised(fact.known(heard))}.`
  const recalled = recalledIn(conversation.told, fact)
  return recalled === undefined ? `I do not know ${fact.unknown}.` : `I remember: ${fact.known(recalled)}.`
}

export function factsStated(text: string): string | undefined {
  const heard = Object.values(facts).flatMap((fact) => {
    const found = heardIn([text], fact)
    return found === undefined ? [] : [fact.known(found)]
  })
  return heard.length === 0 ? undefined : `Noted: ${heard.join(', ')}.`
}

export function orderOf({ said, told }: Conversation): string | undefined {
  return heardIn(said, facts.order) ?? recalledIn(told, facts.order)
}

/** The newest statement holds. */
function heardIn(texts: readonly string[], { stated }: Fact): string | undefined {
  return texts.flatMap((text) => Array.from(text.matchAll(stated), ([, found]) => found)).at(-1)
}

/** Memories come best match first. */
function recalledIn(texts: readonly string[], { recalled }: Pick<Fact, 'recalled'>): string | undefined {
  return texts.flatMap((text) => Array.from(text.matchAll(recalled), ([, found]) => found)).at(0)
}

function capitalised(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

/** What is said in a text that is worth keeping, in the order it is said. */
export function lastingStatements(text: string): LastingStatement[] {
  return Object.values(facts)
    .flatMap((fact) => [...statementsOf(fact, text, fact.stated, true), ...statementsOf(fact, text, fact.over, false)])
    .sort((a, b) => a.index - b.index)
}

interface LastingStatement {
  index: number
  fact: Fact
  value: string
  holds: boolean
}

function statementsOf(fact: Fact, text: string, words: RegExp | undefined, holds: boolean): LastingStatement[] {
  if (words === undefined || fact.kept === undefined) return []
  return Array.from(text.matchAll(words), ({ index, 1: value = '' }) => ({ index, fact, value, holds }))
}

/** What a memory says of such a fact. */
export function valueIn(memory: string, { recalled }: Fact): string | undefined {
  return recalledIn([memory], { recalled })
}
