// What the model calls of a superstep saw, as its checkpoint keeps it: not the text, which is in the thread, but where in the
// thread it is. So it is small, and no larger in a long thread.
import { decode, encode, isRecord } from '../kernel/json.ts'
import type { TaskWrites } from './task-writes.ts'

/** One call of a model, and what became of it. */
export interface ModelCall {
  readonly view: MessageView
  /** Instructions that went before the messages and are in no thread: their length in characters, and a hash to tell them by. */
  readonly system?: { readonly characters: number; readonly hash: string }
  readonly tools: readonly string[]
  readonly parameters: Readonly<Record<string, number>>
  /** Memories in view, as they were. */
  readonly memories?: readonly { readonly id: string; readonly version: number }[]
  /** The summary in view: its id in the state. */
  readonly summary?: string
  /** Id of the message that the model gave; absent when the call failed. */
  readonly reply?: string
  /** As the provider names it. This and what follows stands with the reply, where the thread has it. */
  readonly model?: string
  /** In tokens. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
  readonly finishReason?: string
  /** Code of the error that it failed with. */
  readonly error?: string
}

/** Messages in the order they were seen. */
export interface MessageView {
  /** Newest last; of a view that is more scattered than `maxRanges`, the newest. */
  readonly ranges: readonly MessageRange[]
  /** How many were seen before the first of `ranges`. */
  readonly earlier: number
}

/** Neighbours in one list of the state that the node saw. */
export interface MessageRange {
  /** `null`: the node made this message itself; the thread does not have it. */
  readonly channel: string | null
  /** Id of the first. */
  readonly from: string
  readonly count: number
  /** The node had changed them: they have the ids of the thread's messages, and not their text. */
  readonly altered: boolean
}

export interface SeenCall extends ModelCall {
  /** Place in task order. */
  readonly task: number
  readonly node: string
}

type State = Readonly<Record<string, unknown>>
type List = readonly { readonly id: string }[]

const maxRanges = 16

/** Found from the newest on, and only as far as it is kept: a long thread costs nothing. */
export function viewOf(messages: List, state: State): MessageView {
  const lists = Object.entries(state).filter((entry): entry is [string, List] => Array.isArray(entry[1]))
  const ranges: MessageRange[] = []
  let end = messages.length
  while (end > 0 && ranges.length < maxRanges) {
    const range = rangeUpTo(end, messages, lists)
    ranges.unshift(range)
    end -= range.count
  }
  return { ranges, earlier: end }
}

/** The longest range that ends with the `end`th message. */
function rangeUpTo(end: number, messages: List, lists: readonly (readonly [string, List])[]): MessageRange {
  const message = messages[end - 1]
  const id = message?.id ?? ''
  for (const [channel, list] of lists) {
    const place = list.findLastIndex((element) => element === message || (isRecord(element) && element.id === id))
    if (place < 0) continue
    const altered = list[place] !== message
    let count = 1
    for (; count < end && count <= place; count++) {
      const [seen, there] = [messages[end - 1 - count], list[place - count]]
      if (seen?.id !== there?.id || (seen !== there) !== altered) break
    }
    return { channel, from: messages[end - count]?.id ?? '', count, altered }
  }
  return { channel: null, from: id, count: 1, altered: false }
}

/** Ids of the messages in a range, read from the state that the node saw; `undefined` where it is not there to be read. */
export function idsIn({ channel, from, count }: MessageRange, state: State | undefined): readonly string[] | undefined {
  if (channel === null) return [from]
  const list = state?.[channel]
  if (!Array.isArray(list)) return undefined
  const ids = list.map((element: unknown) => (isRecord(element) ? String(element.id) : ''))
  const start = ids.indexOf(from)
  return start < 0 ? undefined : ids.slice(start, start + count)
}

/** Raise it with every change of shape. A text of another format says nothing. */
const formatVersion = 1

/** `null` when no model was called. */
export function seenText(writes: readonly TaskWrites[]): string | null {
  const calls = writes.flatMap(({ node, update, calls = [] }, task) => {
    const written = Object.values(update).flat()
    return calls.map(({ view, tools, parameters, model, usage, finishReason, ...call }) => ({
      ...{ task, node, view: view.ranges.map(storedRange) },
      ...(view.earlier > 0 && { earlier: view.earlier }),
      ...(tools.length > 0 && { tools }),
      ...(Object.keys(parameters).length > 0 && { parameters }),
      ...call,
      // A reply that the node writes has these, and the checkpoint has the reply.
      ...(!written.some(
        (one) => isRecord(one) && one.id === call.reply && one.model === model && isUsage(one.usage, usage),
      ) && {
        ...(model !== undefined && { model }),
        ...(usage !== undefined && { usage }),
        ...(finishReason !== undefined && { finishReason }),
      }),
    }))
  })
  return calls.length === 0 ? null : encode({ v: formatVersion, calls })
}

/** A node may note more beside it. */
function isUsage(kept: unknown, usage: ModelCall['usage']): boolean {
  if (!isRecord(kept) || usage === undefined) return kept === usage
  return kept.inputTokens === usage.inputTokens && kept.outputTokens === usage.outputTokens
}

type StoredRange = readonly [channel: string | null, from: string, count: number, altered?: 1]

interface StoredCall
  extends Omit<SeenCall, 'view' | 'tools' | 'parameters'>,
    Partial<Pick<SeenCall, 'tools' | 'parameters'>> {
  readonly view: readonly StoredRange[]
  readonly earlier?: number
}

function storedRange({ channel, from, count, altered }: MessageRange): StoredRange {
  return altered ? [channel, from, count, 1] : [channel, from, count]
}

export function parseSeen(text: string | null): readonly SeenCall[] {
  const stored = text === null ? undefined : decode(text)
  if (!isRecord(stored) || stored.v !== formatVersion) return []
  return (stored.calls as readonly StoredCall[]).map(({ view, earlier = 0, tools = [], parameters = {}, ...call }) => ({
    ...call,
    view: { ranges: view.map(rangeOf), earlier },
    tools,
    parameters,
  }))
}

function rangeOf([channel, from, count, altered]: StoredRange): MessageRange {
  return { channel, from, count, altered: altered === 1 }
}
