// Makes the documents of the HTTP interface from the route table: docs/openapi.json, docs/http.md, and what a Worker serves.
import { mkdirSync, writeFileSync } from 'node:fs'
import * as z from 'zod/mini'
import { Approval } from '../src/http/approvals.ts'
import type { LazySchema } from '../src/http/lazily.ts'
import { version } from '../src/http/meta.ts'
import type { Route, RouteResponse } from '../src/http/route.ts'
import { routes } from '../src/http/routes.ts'
import { RunCommand } from '../src/http/run-command.ts'
import { RunRequest } from '../src/http/run-request.ts'
import * as schemas from '../src/http/schemas.ts'
import { CheckpointRef } from '../src/http/states.ts'
import { Step } from '../src/http/steps.ts'
import { StoreItem } from '../src/http/store-items.ts'
import { TimeToLive } from '../src/http/thread-retention.ts'
import { ChannelChange } from '../src/http/time-travel.ts'

type Json = Record<string, unknown>

/** What is said of more than one route, or is a thing of its own, has a name in the document. */
const named = {
  ...schemas,
  Approval,
  ChannelChange,
  CheckpointRef,
  RunCommand,
  RunRequest,
  Step,
  StoreItem,
  TimeToLive,
}
const names = z.registry<{ id: string }>()
for (const [name, schema] of Object.entries(named)) {
  if (isNamed(name, schema)) names.add(schema(), { id: name.replace(/Schema$/, '') })
}

/** What is written small makes schemas for fields. */
function isNamed(name: string, _: unknown): _ is LazySchema {
  return /^[A-Z]/.test(name)
}

/** By file. */
export function documents(): Readonly<Record<string, string>> {
  const document = openApi()
  return {
    'docs/openapi.json': `${JSON.stringify(document, null, 1)}\n`,
    'docs/http.md': markdownText(),
    'src/http/openapi-text.ts': moduleText(JSON.stringify(document)),
  }
}

function moduleText(json: string): string {
  const literal = json.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `// docs/openapi.json as a Worker serves it. Made by scripts/openapi.ts. As text: a start should not read what few ask for.
export const openApiText =
  '${literal}'
`
}

function openApi(): Json {
  const components: Json = {}
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components) }
  }
  const problem = schemaOf(schemas.ProblemSchema, 'output', components)
  const sorted = Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    openapi: '3.1.0',
    info: {
      title: 'recollect',
      version,
      description:
        'Threads, runs and assistants speak the wire of the LangGraph Agent Server; chat speaks the UI message stream of the AI SDK. Every error is a problem of RFC 9457 with a stable code.',
    },
    security: [{ bearer: [] }, { key: [] }],
    paths,
    components: {
      schemas: sorted,
      responses: {
        Problem: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same token' },
      },
    },
  }
}

function operation(route: Route, components: Json): Json {
  const { tag, summary, description, scopes, query, body, responses } = route
  const parameters = [...pathParameters(route), ...(query === undefined ? [] : queryParameters(query, components))]
  return {
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(scopes.length === 0 ? { security: [] } : { 'x-scopes': scopes }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input', components) } } },
    }),
    responses: { ...responsesOf(responses, components), default: { $ref: '#/components/responses/Problem' } },
  }
}

function pathParameters({ path }: Route): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: 128 },
  }))
}

function queryParameters(query: LazySchema, components: Json): Json[] {
  const { properties = {}, required = [] } = schemaOf(query, 'input', components) as {
    properties?: Json
    required?: string[]
  }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

function responsesOf(responses: Route['responses'], components: Json): Json {
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => {
      const {
        description,
        schema,
        contentType = 'application/json',
      } = isRefusal(status, response) ? problem(response) : response
      if (schema !== undefined) {
        return [status, { description, content: { [contentType]: { schema: schemaOf(schema, 'output', components) } } }]
      }
      const content = contentType === 'application/json' ? undefined : { [contentType]: { schema: { type: 'string' } } }
      return [status, { description, ...(content !== undefined && { content }) }]
    }),
  )
}

/** What is refused is a problem, unless the route says otherwise. */
function isRefusal(status: string, { schema, contentType }: RouteResponse): boolean {
  return Number(status) >= 400 && schema === undefined && contentType === undefined
}

function problem({ description }: RouteResponse): RouteResponse {
  return { description, schema: schemas.ProblemSchema, contentType: 'application/problem+json' }
}

/** Named schemas become components. */
function schemaOf(lazySchema: LazySchema, io: 'input' | 'output', components: Json): Json {
  const schema = lazySchema()
  const {
    $schema: _,
    $defs = {},
    ...made
  } = z.toJSONSchema(schema, {
    io,
    metadata: names,
    unrepresentable: 'any',
    // What says nothing is not said: a format says what its pattern of 300 characters says, JSON's names are texts, and its
    // integers end somewhere.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern
      if (JSON.stringify(jsonSchema.propertyNames) === '{"type":"string"}') delete jsonSchema.propertyNames
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  const text = (part: unknown) => JSON.stringify(part).replaceAll('#/$defs/', '#/components/schemas/')
  for (const [name, definition] of Object.entries($defs)) components[name] = JSON.parse(text(definition))
  const id = names.get(schema)?.id
  if (id === undefined || '$ref' in made) return JSON.parse(text(made))
  components[id] = JSON.parse(text(made))
  return { $ref: `#/components/schemas/${id}` }
}

function markdownText(): string {
  const tags = [...new Set(routes.map(({ tag }) => tag))]
  const sections = tags.map((tag) => {
    const rows = routes.filter((route) => route.tag === tag).map(row)
    return `## ${tag}\n\n| route | scope | what it does |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${introduction}\n${sections.join('\n')}`
}

function row({ method, path, scopes, summary, description }: Route): string {
  const scope = scopes.length === 0 ? 'no token' : scopes.map((name) => `\`${name}\``).join(' or ')
  return `| \`${method} ${path}\` | ${scope} | ${summary}.${description === undefined ? '' : ` ${description}`} |`
}

const introduction = `# HTTP

<!-- Made by scripts/openapi.ts from the route table in src/http/routes.ts. -->

A request carries a JSON Web Token as \`Authorization: Bearer …\` or \`x-api-key: …\`. Tenant and user come from its claims
\`tenant\` and \`sub\` alone, what it may do from \`scope\`. A thread of somebody else answers exactly like one that does not exist.
An error is \`application/problem+json\` with a stable \`code\`; where trying again helps, \`Retry-After\` says when. A body has at
most 1 MiB and 64 levels. \`GET /openapi.json\` has every field, \`GET /docs\` the same as a page.
`

if (import.meta.main) {
  mkdirSync('docs', { recursive: true })
  for (const [file, text] of Object.entries(documents())) writeFileSync(file, text)
}
