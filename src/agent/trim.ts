// Trimming: what a model sees of a conversation. It is a view: what the thread keeps never shrinks by it.
import { RecollectError } from '../kernel/errors.ts'
import type { Message } from '../ports/model.ts'
import { type CountTokens, estimateBy, type TokensOf, tokensBy } from './token-count.ts'
import { cutOf, cutView, headOf, type Limits } from './window.ts'

/**
 * `'turns'`: the last 20. `'tokens'`: the last turns that have 8,000 together. `'summary'`: up to 20 turns, and a summary of what came
 * before. Or limits of your own; or a function of your own. Calls of tools and what they gave are never parted.
 */
export type Trim = PlainTrim | SummaryTrim

/** It needs no channel but `messages`. */
export type PlainTrim = 'turns' | 'tokens' | TrimFunction | (TrimLimits & { readonly summary?: false })

/** What it needs: the channel `summary()`, and a `summarizeNode` beside the model. `agent` has both. */
export type SummaryTrim = 'summary' | (TrimLimits & { readonly summary: true | SummaryOptions })

/** Instructions, what was recalled and the summary are not counted. */
export interface TrimLimits extends Limits {
  /** Turns in view; one begins where the person speaks. */
  readonly turns?: number
  /** Tokens of the messages in view. */
  readonly tokens?: number
  /** Unless given, by what the model counted when it answered last: about right, and nothing to load. */
  readonly countTokens?: CountTokens
}

export interface SummaryOptions {
  /** The most that the summary may have, at four characters each. 500 unless told otherwise. */
  readonly tokens?: number
}

/** Gives what the model is to see. */
export type TrimFunction = (
  messages: readonly Message[],
  info: TrimInfo,
) => readonly Message[] | Promise<readonly Message[]>

export interface TrimInfo {
  /** About how many, by what the model counted when it answered last. */
  readonly tokensOf: (message: Message) => number
}

/** A summary in its place: it stands for the first `count` messages of the thread. */
export interface Summary {
  /** Given by the channel. */
  readonly id: string
  readonly text: string
  /** Instructions at the head of the thread are counted too. */
  readonly count: number
  /** Id of the last of them. Where another message stands in its place, the summary is of another thread. */
  readonly through: string
}

interface WindowPlan {
  readonly limits: Limits
  readonly countTokens: CountTokens | undefined
  readonly summary: Required<SummaryOptions> | undefined
}

const words: Readonly<Record<'turns' | 'tokens' | 'summary', Exclude<Trim, string | TrimFunction>>> = {
  turns: { turns: 20 },
  tokens: { tokens: 8_000 },
  summary: { turns: 20, summary: true },
}

const summaryTokens = 500

/** Throws `graph_invalid` for limits that are none. */
export function planOf(trim: Exclude<Trim, TrimFunction>): WindowPlan {
  const { turns, tokens, countTokens, summary = false } = typeof trim === 'string' ? (words[trim] ?? {}) : trim
  const limits = { ...(turns !== undefined && { turns }), ...(tokens !== undefined && { tokens }) }
  const most = { tokens: summaryTokens, ...(typeof summary === 'object' && summary) }
  const sound = [...Object.values(limits), most.tokens].every((limit) => Number.isInteger(limit) && limit > 0)
  if (!sound || Object.keys(limits).length === 0) {
    throw new RecollectError(
      'graph_invalid',
      'trim must be "turns", "tokens", "summary", a function, or an object with turns or tokens, and summary: { tokens }, each a whole number above 0, such as { turns: 20 }.',
    )
  }
  return { limits, countTokens, summary: summary === false ? undefined : most }
}

export function needsSummary(trim: Trim | undefined): trim is SummaryTrim {
  return trim !== undefined && typeof trim !== 'function' && planOf(trim).summary !== undefined
}

/** Whether it goes by what the model counts: then answers note what that was counted from. */
export function countsByUsage(trim: Trim | undefined): boolean {
  if (trim === undefined || typeof trim === 'function') return trim !== undefined
  const { limits, countTokens } = planOf(trim)
  return limits.tokens !== undefined && countTokens === undefined
}

export interface SummaryState {
  readonly messages: readonly Message[]
  /** `undefined`: there is none yet. */
  readonly summary: Summary | undefined
}

/** The summary, unless messages that it stands for have been taken out of the thread: then another is made of what is left. */
export function currentSummary({ messages, summary }: SummaryState): Summary | undefined {
  return summary !== undefined && messages[summary.count - 1]?.id === summary.through ? summary : undefined
}

/** Place of the first message that no summary stands for and that is no instruction at the head. */
export function floorOf(messages: readonly Message[], summary: Summary | undefined): number {
  return Math.max(headOf(messages), summary?.count ?? 0)
}

/**
 * What a model sees of `messages`: `model.reply(await trimmed(state.messages, { turns: 20 }))`. With a summary, of what comes after it.
 * Throws `graph_invalid` for limits that are none, and for a `countTokens` that gives no count.
 */
export async function trimmed(
  messages: readonly Message[],
  trim: Trim,
  summary?: Summary,
): Promise<readonly Message[]> {
  if (typeof trim === 'function') return trim(messages, { tokensOf: estimateBy(messages) })
  const { limits, countTokens } = planOf(trim)
  const floor = floorOf(messages, currentSummary({ messages, summary }))
  return cutView(messages, await cutOf(messages, floor, limits, tokensBy(messages, countTokens)))
}

/** How far the thread is to be summarized now: up to the newer half of the view, once that is three quarters full; 0 for not at all. */
export async function summaryDue(messages: readonly Message[], floor: number, plan: WindowPlan): Promise<number> {
  const tokensOf: TokensOf = tokensBy(messages, plan.countTokens)
  const full = await cutOf(messages, floor, shareOf(plan.limits, 3 / 4), tokensOf)
  if (full.from <= floor) return 0
  return (await cutOf(messages, floor, shareOf(plan.limits, 1 / 2), tokensOf)).from
}

function shareOf({ turns, tokens }: Limits, share: number): Limits {
  return {
    ...(turns !== undefined && { turns: Math.max(1, Math.floor(turns * share)) }),
    ...(tokens !== undefined && { tokens: tokens * share }),
  }
}
