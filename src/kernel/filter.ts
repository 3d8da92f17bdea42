// Filters on items: a small tree of conditions, read from JSON, evaluated here or compiled by an adapter to its own language.
import { didYouMean, RecollectError } from './errors.ts'
import { isRecord } from './json.ts'
import { compareText } from './namespace.ts'

/** A string has at most 1,000 characters. */
export type Scalar = string | number | boolean | null

/**
 * `field` is `key`, `source`, `author`, `tags`, `created` or `updated` of the item, or a place in its value:
 * `value.color`, `value.size.width`. What is not there equals nothing, `null` included; so `ne` and `nin` are true of it. At most 100
 * conditions, 8 levels deep.
 */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  | Condition

/** `created` and `updated` are compared as times, of ISO 8601 or in milliseconds since 1970, and take no `in`, `nin`, `exists`, `contains`. */
export type Condition =
  | { readonly op: 'eq' | 'ne'; readonly field: string; readonly value: Scalar }
  /** Of two numbers, or of two strings by code points; false of anything else. */
  | { readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly field: string; readonly value: string | number }
  /** At most 100 values. */
  | { readonly op: 'in' | 'nin'; readonly field: string; readonly value: readonly Scalar[] }
  /** A `null` in the value is there. */
  | { readonly op: 'exists'; readonly field: string; readonly value: boolean }
  /** An array that has the value among its elements, or a string that has it in itself. */
  | { readonly op: 'contains'; readonly field: string; readonly value: Scalar }

export const operators: readonly string[] = [
  ...['and', 'or', 'not', 'eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'exists', 'contains'],
]
const times = ['created', 'updated']
const plainFields = ['key', 'source', 'author', 'tags', ...times]

const deepest = 8
const mostConditions = 100
const mostValues = 100
const longestText = 1_000
/** Not beginning with a digit: it would be the place in an array. */
const fieldName = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/** What a filter reads of an item. */
export interface FilterDocument {
  readonly key: string
  readonly source: string | null
  readonly author: string | null
  readonly tags: readonly string[]
  /** ISO 8601. */
  readonly created: string
  readonly updated: string
  readonly value: unknown
}

/** Throws `input_invalid`, which names the place and what may stand there, and never quotes more of it than a name. */
export function parseFilter(json: unknown): Filter {
  let conditions = 0
  return parse(json, 'filter', 0)

  function parse(given: unknown, at: string, depth: number): Filter {
    if (depth > deepest) throw refused(at, `is nested deeper than ${deepest} levels`)
    // The whole, which may only join others, is not counted.
    if (conditions++ > mostConditions) throw refused('filter', `has more than ${mostConditions} conditions`)
    if (!isRecord(given)) throw refused(at, 'must be an object such as { "op": "eq", "field": …, "value": … }')
    const { op } = given
    if (op === 'and' || op === 'or') {
      assertParts(given, at, ['op', 'filters'])
      if (!Array.isArray(given.filters)) throw refused(at, `needs "filters", an array, for the operator "${op}"`)
      return { op, filters: given.filters.map((part, index) => parse(part, `${at}.filters.${index}`, depth + 1)) }
    }
    if (op === 'not') {
      assertParts(given, at, ['op', 'filter'])
      return { op, filter: parse(given.filter, `${at}.filter`, depth + 1) }
    }
    assertParts(given, at, ['op', 'field', 'value'])
    return conditionOf(op, given.field, given.value, at)
  }
}

/** One condition, checked as {@link parseFilter} does. */
export function conditionOf(op: unknown, field: unknown, value: unknown, at: string): Condition {
  if (typeof op !== 'string' || !operators.includes(op)) {
    const hint = typeof op === 'string' ? didYouMean(op, operators) : ''
    throw refused(at, `has an unknown operator${hint}; the operators are ${operators.join(' ')}`)
  }
  assertField(field, at)
  if (times.includes(field)) return timeCondition(op, field, value, at)
  switch (op) {
    case 'eq':
    case 'ne':
    case 'contains':
      return { op, field, value: scalar(value, at) }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const bound = scalar(value, at)
      if (typeof bound !== 'string' && typeof bound !== 'number') throw refused(at, `needs a string or a number`)
      return { op, field, value: bound }
    }
    case 'in':
    case 'nin':
      if (!Array.isArray(value) || value.length > mostValues) {
        throw refused(at, `needs "value", an array of at most ${mostValues} strings, numbers, booleans or nulls`)
      }
      return { op, field, value: Array.from(value, (part) => scalar(part, at)) }
    case 'exists':
      if (typeof value !== 'boolean') throw refused(at, 'needs "value", true or false')
      return { op, field, value }
    default:
      throw refused(at, `joins other filters by "${op}" and takes no field`)
  }
}

/** Times are compared as times: a text of ISO 8601, or milliseconds since 1970. */
function timeCondition(op: string, field: string, value: unknown, at: string): Condition {
  const time = typeof value === 'string' || typeof value === 'number' ? new Date(value) : undefined
  // Postgres has no year 0, and writes those before it otherwise.
  const year = time?.getUTCFullYear() ?? Number.NaN
  if (time === undefined || !(year >= 1 && year <= 9_999)) {
    throw refused(at, `needs a time for "${field}", of the years 1 to 9999, as ISO 8601 or in milliseconds since 1970`)
  }
  const iso = time.toISOString()
  if (op === 'eq' || op === 'ne') return { op, field, value: iso }
  if (op === 'gt' || op === 'gte' || op === 'lt' || op === 'lte') return { op, field, value: iso }
  throw refused(at, `compares "${field}", a time: by eq, ne, gt, gte, lt or lte`)
}

function assertField(field: unknown, at: string): asserts field is string {
  if (typeof field === 'string' && plainFields.includes(field)) return
  const [root, ...rest] = typeof field === 'string' ? field.split('.') : []
  if (root === 'value' && rest.length >= 1 && rest.length <= deepest && rest.every((name) => fieldName.test(name)))
    return
  throw refused(
    at,
    `needs "field": ${plainFields.join(', ')}, or value.<name>, where a name is 1 to 64 of A–Z a–z 0–9 _ - and begins with a letter or _`,
  )
}

function assertParts(given: Record<string, unknown>, at: string, parts: readonly string[]): void {
  const surplus = Object.keys(given).find((name) => !parts.includes(name))
  if (surplus !== undefined) throw refused(at, `has a part that it does not take; it takes ${parts.join(', ')}`)
}

function scalar(value: unknown, at: string): Scalar {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value === 'string' && value.length <= longestText) return filterText(value)
  throw refused(at, `needs "value": a string of at most ${longestText} characters, a number, a boolean or null`)
}

function refused(at: string, problem: string): RecollectError {
  return new RecollectError('input_invalid', `The filter is not valid: ${at} ${problem}.`)
}

/** What databases can compare: without NUL and lone surrogates, which filters see as U+FFFD. */
export function filterText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed()
}

/** Every escape of JSON, so that `\\u0000` is not taken for one; the group is a character that databases refuse. */
const escapes = /\\(?:u(0000|d[89a-f][0-9a-f]{2})|.)/g

/** The value, from its JSON, as filters see it. */
export function filterValue(json: string): string {
  return json.replace(escapes, (found, refusedCode?: string) => (refusedCode === undefined ? found : '\ufffd'))
}

/** Whether the document meets the filter: the reference for what adapters make of filters. */
export function matches(filter: Filter, document: FilterDocument): boolean {
  switch (filter.op) {
    case 'and':
      return filter.filters.every((part) => matches(part, document))
    case 'or':
      return filter.filters.some((part) => matches(part, document))
    case 'not':
      return !matches(filter.filter, document)
    default:
      return meets(filter, valueAt(document, filter.field))
  }
}

function meets(condition: Condition, found: unknown): boolean {
  switch (condition.op) {
    case 'eq':
      return found === condition.value
    case 'ne':
      return found !== condition.value
    case 'in':
      return condition.value.some((value) => value === found)
    case 'nin':
      return !condition.value.some((value) => value === found)
    case 'exists':
      return (found !== undefined) === condition.value
    case 'contains': {
      const { value } = condition
      if (Array.isArray(found)) return found.includes(value)
      return typeof found === 'string' && typeof value === 'string' && found.includes(value)
    }
    default:
      return inOrder(condition, found)
  }
}

function inOrder({ op, value }: Extract<Condition, { op: 'gt' | 'gte' | 'lt' | 'lte' }>, found: unknown): boolean {
  let order: number
  if (typeof found === 'number' && typeof value === 'number') order = found - value
  else if (typeof found === 'string' && typeof value === 'string') order = compareText(found, value)
  else return false
  if (op === 'gt') return order > 0
  if (op === 'gte') return order >= 0
  return op === 'lt' ? order < 0 : order <= 0
}

/** `undefined`: nothing is there. A source or author that nobody gave is not there. */
function valueAt(document: FilterDocument, field: string): unknown {
  const [root = '', ...path] = field.split('.')
  let found: unknown = root === 'value' ? document.value : (document[root as keyof FilterDocument] ?? undefined)
  for (const name of path) found = isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined
  return found
}
