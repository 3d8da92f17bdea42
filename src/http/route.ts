// One line of the route table: what a route is called, who may call it, what goes in and out, and what it does.
import { type LazySchema, lazily, type Output } from './lazily.ts'
import type { RunningTurns } from './running-turns.ts'
import type { Principal, Scope, Service } from './service.ts'
import type { Timing } from './timing.ts'

/** Everything a route may use. */
export interface Call<Parameters = unknown, Query = unknown, Body = unknown> {
  readonly service: Service
  /** What runs in this isolate, whichever face began it. */
  readonly turns: RunningTurns
  /** From the token alone. */
  readonly principal: Principal
  /** What stands in the path: ids, already checked. */
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
  /** As it came, of a route that wants it so; else empty. */
  readonly rawBody: Uint8Array
  readonly request: Request
  readonly timing: Timing
  /** Keeps a Worker alive for work that outlives the answer. */
  readonly waitUntil: (work: Promise<unknown>) => void
  /** How long such work goes on when its reader has left; `undefined`: as long as it takes. */
  readonly lifetimeMs: number | undefined
}

export interface RouteResponse {
  readonly description: string
  /** Of a JSON body. */
  readonly schema?: LazySchema
  /** When it is not JSON. */
  readonly contentType?: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters as `:thread_id`. Each is an id. */
  readonly path: string
  /** The token must have one of them. None: no token is needed. */
  readonly scopes: readonly Scope[]
  /** Groups routes in the documents. */
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly query?: LazySchema
  readonly body?: LazySchema
  /** The body is wanted as it is, of at most so many bytes. */
  readonly rawBody?: { readonly maxBytes: number }
  readonly responses: Readonly<Record<number, RouteResponse>>
  handle(call: Call): Response | Promise<Response>
}

type NamesIn<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? NamesIn<Head> | NamesIn<Tail>
  : Path extends `:${infer Name}`
    ? Name
    : never

type OutputOf<L> = L extends LazySchema ? Output<L> : undefined

interface RouteDefinition<Path extends string, Query, Body> extends Omit<Route, 'path' | 'query' | 'body' | 'handle'> {
  readonly path: Path
  readonly query?: Query
  readonly body?: Body
  handle(
    call: Call<Readonly<Record<NamesIn<Path>, string>>, OutputOf<Query>, OutputOf<Body>>,
  ): Response | Promise<Response>
}

/** A route whose handler gets what its schemas give. */
export function route<
  const Path extends string,
  Query extends LazySchema | undefined = undefined,
  Body extends LazySchema | undefined = undefined,
>(definition: RouteDefinition<Path, Query, Body>): Route {
  const { query, body } = definition
  const schemas = { ...(query && { query: lazily(query) }), ...(body && { body: lazily(body) }) }
  return { ...definition, ...schemas } as Route
}
