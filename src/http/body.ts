// A request's body on its way in: how long, how deep and of what characters it may be, before anybody looks at it.
import { RecollectError } from '../kernel/errors.ts'

/** What is beyond them is refused with `body_too_large` or `body_too_deep`. */
export interface BodyLimits {
  /** 1 MiB unless told otherwise. */
  readonly maxBytes?: number
  /** Levels of arrays and objects. 64 unless told otherwise. */
  readonly maxDepth?: number
}

/** The body as JSON. Throws `body_too_large`, `body_too_deep` or `body_invalid`. */
export async function readJson(
  request: Request,
  { maxBytes = 1_048_576, maxDepth = 64 }: BodyLimits = {},
): Promise<unknown> {
  return jsonOf(await readBytes(request, maxBytes), maxDepth)
}

/** Bytes that were read as JSON. Throws `body_too_deep` or `body_invalid`. */
export function jsonOf(bytes: Uint8Array, maxDepth = 64): unknown {
  const text = textOf(bytes)
  if (text.trim() === '') throw invalid('The body is empty. Send a JSON object.')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the body.
    throw invalid('The body is not JSON.')
  }
  inspect(value, [], maxDepth)
  return value
}

/** The body as it is. Throws `body_too_large`. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunksOf(request)) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('The body is not UTF-8.')
  }
}

/** Not `for await` over the stream itself: not every runtime's streams can do that. */
async function* chunksOf({ body }: Request): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // Left early: the rest of a body that is too large is not read.
    await reader.cancel().catch(() => {})
  }
}

/**
 * Refuses what would bite further in: depth (recursion), `__proto__` (assignment), U+0000 and lone surrogates (Postgres
 * takes neither in jsonb), and numbers that JSON can say and nothing here can hold: they would be kept as null.
 */
function inspect(value: unknown, path: string[], levels: number): void {
  if (typeof value === 'string') assertCharacters(value, path)
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw invalid(`${placeOf(path)} has a number beyond 1.8e308, which cannot be kept. Send it as a string.`)
  }
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw new RecollectError('body_too_deep', `The body is nested deeper than ${path.length} levels.`)
  const named = !Array.isArray(value)
  for (const [key, item] of Object.entries(value)) {
    if (named) {
      if (key === '__proto__') throw invalid(`${placeOf(path)} has a key "__proto__", which no object may have.`)
      assertCharacters(key, path)
    }
    // One path for all, kept as the walk goes: most bodies are sound and never need to tell it.
    path.push(key)
    inspect(item, path, levels - 1)
    path.pop()
  }
}

function assertCharacters(text: string, path: readonly string[]): void {
  if (text.includes('\u0000')) throw invalid(`${placeOf(path)} has the character U+0000, which cannot be stored.`)
  if (!text.isWellFormed()) throw invalid(`${placeOf(path)} has half a surrogate pair, which is no character.`)
}

function placeOf(path: readonly string[]): string {
  const shown = path.join('.')
  return path.length === 0 ? 'The body' : `The body, at ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown},`
}

function invalid(message: string): RecollectError {
  return new RecollectError('body_invalid', message)
}

function tooLarge(maxBytes: number): RecollectError {
  return new RecollectError('body_too_large', `The body is larger than ${maxBytes} bytes, which is the limit.`)
}
