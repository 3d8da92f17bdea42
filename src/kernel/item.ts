// What may be kept as an item, and how it is made whole before a store keeps it: its text, its tags, how long it lives.
import { RecollectError } from './errors.ts'
import { filterText } from './filter.ts'
import { hashOf } from './hash.ts'
import { encode, isRecord } from './json.ts'
import { assertNamespacePrefix, assertNoTemplate, isName, isWithin, type Namespace } from './namespace.ts'
import { isWhole, wholeNumber } from './number.ts'

const largestValue = 64 * 1024
/** In UTF-16 units. What is longer is found by its beginning. */
export const longestItemText = 16_000
const longestNearby = 2_000
const mostTags = 32
const longestName = 256
const longestTtlMs = 100 * 365 * 86_400_000

/** 90 days, from each read on. */
export const defaultTtlMs = 90 * 86_400_000

/** How long items live that were not told, by namespace: that of the longest prefix counts. `null`: until they are deleted. */
export type Retention = readonly { readonly namespace: Namespace; readonly ttlMs: number | null }[]

/** As given, or throws `id_invalid` or `input_invalid`: an item of a wrong length would be saved and gone. */
export function assertRetention(retention: Retention): Retention {
  for (const { namespace, ttlMs } of retention) {
    assertNamespacePrefix(namespace)
    assertNoTemplate(namespace)
    assertTtl(ttlMs, `In the retention of ${JSON.stringify(namespace)} the`)
  }
  return retention
}

export function ttlIn(retention: Retention, namespace: Namespace): number | null {
  const [nearest] = retention
    .filter((rule) => isWithin(namespace, rule.namespace))
    .sort((a, b) => b.namespace.length - a.namespace.length)
  return nearest === undefined ? defaultTtlMs : nearest.ttlMs
}

/** What an item is cited by: the same for the same namespace and key. */
export function itemId(namespace: Namespace, key: string): string {
  return hashOf(...namespace, key)
}

/** What no item can be cited by is looked up nowhere: a database refuses some characters, and a model may cite anything. */
export function isItemId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{24}$/.test(id)
}

/** The part of an index that a namespace is in: that of its first segment. It names nobody. */
export function spaceOf([root = '']: Namespace): string {
  return hashOf(root)
}

export interface ItemContent {
  readonly value: unknown
  readonly text?: unknown
  readonly nearby?: unknown
  readonly tags?: unknown
  readonly source?: unknown
  readonly author?: unknown
  readonly ttlMs?: unknown
  readonly expectedVersion?: unknown
}

/** Checked and made whole. */
export interface WholeItem {
  /** Encoded. */
  readonly value: string
  readonly text: string
  readonly textBefore: string | null
  readonly textAfter: string | null
  readonly tags: readonly string[]
  readonly source: string | null
  readonly author: string | null
  /** `undefined`: as before. */
  readonly ttlMs: number | null | undefined
  readonly expectedVersion: number | undefined
}

/** Throws `input_invalid`; `item_too_large`; `state_unserializable` for what is not data. */
export function wholeItem(content: ItemContent): WholeItem {
  const { value, text, nearby = {}, tags = [], source, author, ttlMs, expectedVersion } = content
  if (!isRecord(value)) throw refused('its value must be an object such as { "text": "…" }')
  const encoded = encode(value)
  const bytes = new TextEncoder().encode(encoded).length
  if (bytes > largestValue) {
    throw new RecollectError(
      'item_too_large',
      `The item's value has ${bytes} bytes as JSON; at most ${largestValue} are kept. Keep what it says, and a link to the rest.`,
    )
  }
  if (text !== undefined && text !== false && typeof text !== 'string') throw refused('its text must be a string')
  if (!isNearby(nearby)) throw refused('what is nearby must be an object of the strings before and after')
  const sound = Array.isArray(tags) && tags.length <= mostTags && tags.every((tag) => isName(tag, 64))
  if (!sound) throw refused(`its tags must be at most ${mostTags} strings, each of 1 to 64 characters`)
  for (const [part, name] of Object.entries({ source, author })) {
    if (name !== undefined && !isName(name, longestName)) {
      throw refused(`its ${part} must be a string of 1 to ${longestName} characters`)
    }
  }
  if (ttlMs !== undefined) assertTtl(ttlMs)
  assertVersion(expectedVersion)
  const said = text === false ? '' : (text ?? textIn(value))
  return {
    ...{ value: encoded, text: filterText(said.slice(0, longestItemText)), tags: [...new Set<string>(tags)] },
    ...{ textBefore: nearbyText(nearby.before), textAfter: nearbyText(nearby.after) },
    source: typeof source === 'string' ? source : null,
    author: typeof author === 'string' ? author : null,
    ...{ ttlMs: ttlMs as number | null | undefined, expectedVersion },
  }
}

/** As a write expects it, or throws `input_invalid`. */
export function assertVersion(expected: unknown): asserts expected is number | undefined {
  if (expected === undefined || isWhole(expected, 0, Number.MAX_SAFE_INTEGER)) return
  throw refused('the expected version must be a whole number, 0 for none')
}

function assertTtl(ttlMs: unknown, the = 'The item is not valid: its'): void {
  if (ttlMs === null || isWhole(ttlMs, 1, longestTtlMs)) return
  const problem = `${the} time to live must be a number of milliseconds, from 1 to a hundred years, or null.`
  throw new RecollectError('input_invalid', problem)
}

function isNearby(nearby: unknown): nearby is { readonly before?: string; readonly after?: string } {
  if (!isRecord(nearby)) return false
  return [nearby.before, nearby.after].every((text) => text === undefined || typeof text === 'string')
}

function nearbyText(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : filterText(text.slice(0, longestNearby))
}

/** The value's own `text`, or all texts in it. */
function textIn(value: Record<string, unknown>): string {
  if (typeof value.text === 'string') return value.text
  const texts: string[] = []
  const collect = (part: unknown): void => {
    if (typeof part === 'string') texts.push(part)
    else if (Array.isArray(part)) part.forEach(collect)
    else if (isRecord(part)) Object.values(part).forEach(collect)
  }
  collect(value)
  return texts.join('\n')
}

const operationNames = new Set<unknown>(['put', 'get', 'delete'])

/** At most 100 of a batch, or throws `input_invalid`. */
export function assertOperations(given: unknown): void {
  if (!Array.isArray(given)) {
    throw new RecollectError(
      'input_invalid',
      'The operations of a batch must be an array, such as [{ op: "get", namespace: ["users", "alex"], key: "city" }].',
    )
  }
  wholeNumber('The number of operations', given.length, { atLeast: 0, atMost: 100 })
  const odd = given.findIndex((one) => !isRecord(one) || !operationNames.has(one.op))
  if (odd < 0) return
  throw new RecollectError(
    'input_invalid',
    `Operation ${odd} of the batch must be an object whose op is put, get or delete.`,
  )
}

/** From each read on, by its own length; not on every one, for a refresh is a write: when a tenth, at most a day, has passed. */
export function refreshAfterMs(ttlMs: number): number {
  return Math.min(ttlMs / 10, 86_400_000)
}

function refused(problem: string): RecollectError {
  return new RecollectError('input_invalid', `The item is not valid: ${problem}.`)
}

/** Of a put by a run whose thread is another's by now, or gone. */
export function fenced(thread = ''): RecollectError {
  return new RecollectError(
    'run_fenced',
    `Thread "${thread}" was deleted, or another worker has taken it over. What its run was to remember is not written.`,
  )
}
