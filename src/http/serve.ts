// The HTTP application: the route table behind CORS, secure headers, tokens and limits. What it answers is made in the routes.
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { RecollectError } from '../kernel/errors.ts'
import { assertId, assertPrincipal } from '../kernel/id.ts'
import { type Auth, type Authenticate, assertScope, authenticator } from './auth.ts'
import { type BodyLimits, readBytes, readJson } from './body.ts'
import { knownError, logFailure, problemResponse } from './problem.ts'
import { assertReviewSecret } from './review-link.ts'
import type { Call, Route } from './route.ts'
import { routes } from './routes.ts'
import { RunningTurns } from './running-turns.ts'
import type { Principal, Service } from './service.ts'
import { Timing } from './timing.ts'
import { checked } from './validation.ts'

export interface ServeOptions extends Service {
  readonly auth: Auth
  /** Origins whose pages may call. `*`, without credentials, unless told otherwise. */
  readonly origins?: '*' | readonly string[]
  /** Of the bodies of requests that are JSON. */
  readonly limits?: BodyLimits
}

const exposedHeaders = [
  'content-location',
  'location',
  'retry-after',
  'server-timing',
  'x-pagination-next',
  'x-pagination-total',
  'x-vercel-ai-ui-message-stream',
]

/** `export default serve({ graphs, checkpointer, auth: { secret } })`. Throws `environment_invalid` for a secret that is too short, and without a graph. */
export function serve({ auth, origins = '*', limits = {}, ...service }: ServeOptions): Hono {
  if (Object.keys(service.graphs).length === 0) {
    throw new RecollectError('environment_invalid', 'There is no graph to serve: pass at least one in `graphs`.')
  }
  if (service.review !== undefined) assertReviewSecret(service.review)
  const house = { authenticate: authenticator(auth), service, limits, turns: new RunningTurns() }
  const app = new Hono()
  app.use(cors({ origin: origins === '*' ? '*' : [...origins], exposeHeaders: exposedHeaders, maxAge: 86_400 }))
  app.use(secureHeaders())
  for (const route of routes) {
    app.on(route.method, route.path, (context) => answer(route, context, house))
  }
  for (const path of new Set(routes.map((route) => route.path))) app.all(path, () => wrongMethod(path))
  app.notFound((context) => problemResponse(unknownRoute(context.req.path)))
  app.onError((error) => failed(error))
  return app
}

interface House {
  readonly authenticate: Authenticate
  readonly service: Service
  readonly limits: BodyLimits
  readonly turns: RunningTurns
}

async function answer(
  route: Route,
  context: Context,
  { authenticate, service, limits, turns }: House,
): Promise<Response> {
  const timing = new Timing()
  const request = context.req.raw
  const response = await respond().catch(failed)
  response.headers.set('server-timing', timing.toString())
  return response

  async function respond(): Promise<Response> {
    let principal = nobody
    if (route.scopes.length > 0) {
      principal = await timing.measure('auth', authenticate(request.headers))
      assertScope(principal, route.scopes)
    }
    const parameters = context.req.param()
    for (const [name, id] of Object.entries(parameters)) {
      if (name === 'tenant') assertPrincipal('tenant', id)
      else assertId(name.replace(/_id$/, ''), id)
    }
    const query = route.query && checked(route.query(), queryOf(context), 'The query')
    const body = route.body && checked(route.body(), await readJson(request, limits), 'The body')
    const rawBody = route.rawBody === undefined ? nothing : await readBytes(request, route.rawBody.maxBytes)
    const given = { principal, parameters, query, body, rawBody, request }
    return await route.handle({ service, turns, timing, ...given, ...hostOf(context) })
  }
}

const nothing = new Uint8Array()
const nobody: Principal = { tenant: '', user: '', scopes: new Set() }

function failed(error: unknown): Response {
  logFailure(error)
  return problemResponse(knownError(error))
}

/** A repeated name is a list. */
function queryOf(context: Context): Record<string, string | string[]> {
  const all = Object.entries(context.req.queries())
  return Object.fromEntries(all.map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]))
}

/** A Worker is given 30 s when its client has left or has its answer. */
const workerLifetimeMs = 25_000

/** In a Worker the runtime's own; elsewhere the process goes on by itself. Work that fails has told its reader. */
function hostOf(context: Context): Pick<Call, 'waitUntil' | 'lifetimeMs'> {
  let keepAlive: ((work: Promise<unknown>) => void) | undefined
  try {
    const { executionCtx } = context
    keepAlive = (work) => executionCtx.waitUntil(work)
  } catch {
    // Hono throws where there is no execution context.
  }
  const waitUntil = (work: Promise<unknown>) => {
    const settled = work.catch(() => {})
    keepAlive?.(settled)
  }
  return { waitUntil, lifetimeMs: keepAlive && workerLifetimeMs }
}

function wrongMethod(path: string): Response {
  const methods = routes.filter((route) => route.path === path).map(({ method }) => method)
  const error = new RecollectError('method_unsupported', `${path} can be called by ${methods.join(', ')} only.`)
  return problemResponse(error, { allow: methods.join(', ') })
}

function unknownRoute(path: string): RecollectError {
  return new RecollectError(
    'route_unknown',
    `There is no route "${path.slice(0, 200)}". GET /docs lists those there are.`,
  )
}
