// Namespaces: tuples of strings that items live under. They match by whole segments, and no two of them share a key.
import { RecollectError } from './errors.ts'

/**
 * `['users', 'alex']`: 1 to 16 segments, each of 1 to 256 characters without control characters, 512 together. Compared as written: case
 * and look-alikes make another namespace.
 */
export type Namespace = readonly string[]

export const longestNamespace = 16
export const longestSegment = 256
/** Of all segments together: databases index them whole. */
const longestPath = 512
const longestKey = 256

/** A control character: no segment contains one. It sorts below all that a segment may contain. */
const end = '\u001f'
const afterEnd = '\u0020'

/** 1 to 16 segments, each of 1 to 256 characters without control characters, 512 together. Throws `id_invalid`, never with what was given. */
export function assertNamespace(namespace: unknown): asserts namespace is Namespace {
  assertSegments(namespace, 'A namespace', 1)
}

/** As a namespace, or empty: all of the tenant's. */
export function assertNamespacePrefix(prefix: unknown): asserts prefix is Namespace {
  assertSegments(prefix, 'A namespace prefix', 0)
}

/** 1 to 256 characters without control characters. */
export function assertItemKey(key: unknown): asserts key is string {
  if (isName(key, longestKey)) return
  throw new RecollectError(
    'id_invalid',
    `An item key must be a string of 1 to ${longestKey} characters without control characters.`,
  )
}

/** A string of 1 to `longest` characters, without control characters and lone surrogates. */
export function isName(text: unknown, longest: number): text is string {
  return (
    typeof text === 'string' &&
    text.length >= 1 &&
    text.length <= longest &&
    !/\p{Cc}/u.test(text) &&
    text.isWellFormed()
  )
}

function assertSegments(namespace: unknown, what: string, atLeast: number): void {
  const sound =
    Array.isArray(namespace) &&
    namespace.length >= atLeast &&
    namespace.length <= longestNamespace &&
    // `every` passes over holes.
    Array.from(namespace).every((segment) => isName(segment, longestSegment)) &&
    namespace.join('').length <= longestPath
  if (sound) return
  throw new RecollectError(
    'id_invalid',
    `${what} must be an array of ${atLeast} to ${longestNamespace} strings, each of 1 to ${longestSegment} characters without control characters, ${longestPath} together, such as ["users", "alex"].`,
  )
}

/** Throws `id_invalid` for what is written as if it were filled in, where nothing is: `{user}` would be the name of somebody. */
export function assertNoTemplate(namespace: Namespace): void {
  const part = namespace.find((segment) => /^\{\w+\}$/.test(segment))
  if (part === undefined) return
  throw new RecollectError(
    'id_invalid',
    `${part} is not filled in here: ${JSON.stringify(namespace)} is one namespace, of that very name. Name what lies above.`,
  )
}

/**
 * One string for a namespace: each segment, and a mark behind it that no segment contains. So distinct namespaces have distinct
 * paths, and a path begins with another exactly when its namespace begins with the other's whole segments.
 */
export function pathOf(namespace: Namespace): string {
  return namespace.map((segment) => segment + end).join('')
}

export function namespaceOf(path: string): Namespace {
  return path.split(end).slice(0, -1)
}

/** Whether `namespace` is `prefix`, or lies below it. */
export function isWithin(namespace: Namespace, prefix: Namespace): boolean {
  return prefix.length <= namespace.length && prefix.every((segment, index) => segment === namespace[index])
}

/** In a search for namespaces: any one segment. */
const anySegment = '*'

/** The beginning that is said to the letter. */
export function upToWildcard(prefix: Namespace): Namespace {
  const at = prefix.indexOf(anySegment)
  return at < 0 ? prefix : prefix.slice(0, at)
}

/** A regular expression that JavaScript and Postgres read alike, over paths of namespaces that begin and end like this. */
export function pathPattern(prefix: Namespace, suffix: Namespace): string {
  const any = `[^${end}]+${end}`
  const parts = (namespace: Namespace) =>
    namespace
      .map((segment) => (segment === anySegment ? any : segment.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') + end))
      .join('')
  return `^(?=${parts(prefix)})(?:${any})*${parts(suffix)}$`
}

/** Above every path: no segment is as long. By code points, as a database with the collation "C" compares. */
const aboveAll = '\u{10ffff}'.repeat(longestSegment)

/** The paths at or below a namespace are those from `from` to before `before`, by code points. */
export function pathRange(prefix: Namespace): { readonly from: string; readonly before: string } {
  const from = pathOf(prefix)
  return { from, before: from === '' ? aboveAll : from.slice(0, -end.length) + afterEnd }
}

/** By code points: by the units of UTF-16 an emoji sorts below some letters. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [Array.from(a), Array.from(b)]
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
