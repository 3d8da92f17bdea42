// The service as the CLI knows it: documented routes over HTTP, with a token.
import { UsageError } from './command.ts'

/** The service answered with a problem. */
export class RefusedError extends Error {
  readonly problem: Readonly<Record<string, unknown>>

  constructor(problem: Readonly<Record<string, unknown>>) {
    super(`${String(problem.detail)} (${String(problem.code)}, HTTP ${String(problem.status)})`)
    this.problem = problem
  }
}

/** Nothing that could be a service answered. */
export class UnreachableError extends Error {}

export interface Answer<Body> {
  readonly body: Body
  readonly headers: Headers
}

/** Runs may take minutes. */
const patienceMs = 300_000

export class Service {
  readonly #url: string
  readonly #token: string

  constructor({ url, token }: { readonly url: string; readonly token: string }) {
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
  }

  /** `query`: what is `undefined` is left out. Throws `RefusedError` and `UnreachableError`. */
  async get<Body>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Answer<Body>> {
    const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    const text = new URLSearchParams(given).toString()
    return this.send('GET', text === '' ? path : `${path}?${text}`)
  }

  post<Body>(path: string, body: unknown): Promise<Answer<Body>> {
    return this.send('POST', path, body)
  }

  async send<Body>(method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    const response = await this.#fetched(method, path, body)
    const text = await response.text()
    const answer = response.status === 204 ? {} : parsed(text)
    if (answer === undefined) {
      throw new UnreachableError(
        `${this.#url} answered HTTP ${response.status}, and no JSON: that is no recollect. Check --url.`,
      )
    }
    if (response.ok) return { body: answer as Body, headers: response.headers }
    throw new RefusedError({ status: response.status, code: 'unknown', detail: 'The request was refused.', ...answer })
  }

  async #fetched(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // A token is for this host alone.
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new UnreachableError(
        `${this.#url} cannot be reached: ${cause}. Start it with npm run dev, or say where it is: --url, or RECOLLECT_URL.`,
      )
    }
  }
}

/** A path in which ids are safe: `` path`/threads/${thread}/state` ``. */
export function path(texts: TemplateStringsArray, ...ids: readonly string[]): string {
  // However they are encoded, these two would name another route.
  const strange = ids.find((id) => id === '.' || id === '..')
  if (strange !== undefined) throw new UsageError(`"${strange}" is no id.`)
  return texts.map((text, index) => `${text}${encodeURIComponent(ids[index] ?? '')}`).join('')
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
