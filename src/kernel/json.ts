// The codec of state: JSON plus tags for what JSON has no word for. Prototypes are never revived.
import { base64Of, bytesOf } from './base64.ts'
import { asRecollectError, RecollectError } from './errors.ts'

/**
 * A tag is an object with the key `$`: `{"$":["Date",0]}`. A user's own object with a key `$` is written as
 * `{"$":["Object",[[key,value],…]]}`, so that nothing a user stores can be taken for a tag.
 * Known: Date, Map, Set, bigint, Uint8Array, undefined, and the numbers NaN, Infinity, -Infinity and -0.
 */
type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain }

const maxDepth = 200

/** State as text. Throws `state_unserializable`, naming the path, for functions, symbols, class instances and cycles. */
export function encode(value: unknown): string {
  return JSON.stringify(isPlain(value, 0) ? value : toPlain(value, '', 0))
}

/** The inverse of {@link encode}. Throws `checkpoint_unreadable` for text that is not of this codec. */
export function decode(text: string): unknown {
  try {
    const parsed: Plain = JSON.parse(text)
    return text.includes('"$"') ? fromPlain(parsed, 0) : parsed
  } catch (error) {
    throw asRecollectError(
      error,
      'checkpoint_unreadable',
      'Stored state is not JSON, or has a tag that holds no value.',
    )
  }
}

/** Whether JSON.stringify alone is faithful: nearly always, and then nothing is copied. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth > maxDepth) return false
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isPlain(value[index], depth + 1)) return false
    return true
  }
  if (!isRecord(value) || 'toJSON' in value) return false
  for (const key of Object.keys(value)) if (key === '$' || !isPlain(value[key], depth + 1)) return false
  return true
}

function toPlain(value: unknown, path: string, depth: number): Plain {
  if (depth > maxDepth) throw unserializable(path, `is nested deeper than ${maxDepth} levels, or refers to itself`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : tag('number', Object.is(value, -0) ? '-0' : `${value}`)
    case 'undefined':
      return tag('undefined')
    case 'bigint':
      return tag('bigint', `${value}`)
    case 'object':
      return value === null ? null : objectToPlain(value, path, depth + 1)
    default:
      throw unserializable(path, `is a ${typeof value}`)
  }
}

function objectToPlain(value: object, path: string, depth: number): Plain {
  const inner = (item: unknown, key: string | number) => toPlain(item, `${path}.${key}`, depth)
  if (Array.isArray(value)) return Array.from(value, inner)
  if (value instanceof Date) return tag('Date', Number.isNaN(value.getTime()) ? null : value.getTime())
  if (value instanceof Uint8Array) return tag('Uint8Array', base64Of(value))
  if (value instanceof Set) return tag('Set', Array.from(value, inner))
  if (value instanceof Map) {
    return tag(
      'Map',
      Array.from(value, ([key, item], index) => [inner(key, index), inner(item, index)]),
    )
  }
  if (!isRecord(value)) {
    const name = value.constructor?.name ?? 'a class'
    throw unserializable(path, `is an instance of ${name}; store plain data and build the object where it is used`)
  }
  const entries = Object.keys(value).map((key): [string, Plain] => [key, inner(value[key], key)])
  return Object.hasOwn(value, '$') ? tag('Object', entries) : recordOf(entries)
}

function fromPlain(value: Plain, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth * 3) throw new RecollectError('checkpoint_unreadable', 'Stored state is nested too deeply.')
  const inner = (item: Plain) => fromPlain(item, depth + 1)
  if (Array.isArray(value)) return value.map(inner)
  if (!Object.hasOwn(value, '$')) return recordOf(Object.entries(value).map(([key, item]) => [key, inner(item)]))
  return fromTag(value.$, inner)
}

function fromTag(tagged: Plain | undefined, inner: (item: Plain) => unknown): unknown {
  const [name, content] = Array.isArray(tagged) ? tagged : []
  const list = Array.isArray(content) ? content : []
  const pairs = () =>
    list.map((pair): [unknown, unknown] =>
      Array.isArray(pair) ? [inner(pair[0] ?? null), inner(pair[1] ?? null)] : [null, null],
    )
  switch (name) {
    case 'Date':
      return new Date(content === null ? Number.NaN : Number(content))
    case 'Map':
      return new Map(pairs())
    case 'Set':
      return new Set(list.map(inner))
    case 'bigint':
      return BigInt(String(content))
    case 'Uint8Array':
      return bytesOf(String(content))
    case 'undefined':
      return undefined
    case 'number':
      return Number(content)
    case 'Object':
      return recordOf(pairs().map(([key, item]) => [String(key), item]))
    default:
      throw new RecollectError('checkpoint_unreadable', 'Stored state has a tag that this version does not know.')
  }
}

function tag(name: string, content?: Plain): Plain {
  return { $: content === undefined ? [name] : [name, content] }
}

/** An object with these own properties; `__proto__` is a key like any other. */
function recordOf<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries(entries)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function unserializable(path: string, problem: string): RecollectError {
  const place = path === '' ? 'the value' : path.length > 100 ? `${path.slice(1, 100)}…` : path.slice(1)
  return new RecollectError('state_unserializable', `State cannot be saved: ${place} ${problem}.`)
}
