// Assistants: in this wire the word for what a run is of. Here each graph is one, under its name and under a fixed UUID.

import * as z from 'zod/mini'
import { didYouMean, RecollectError } from '../kernel/errors.ts'
import type { CompiledGraph } from '../runtime/compiled-graph.ts'
import { lazily, type Output } from './lazily.ts'
import { Integer, Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { Assistant, JsonObject, limit, Metadata, maybe, offset } from './schemas.ts'
import type { Service } from './service.ts'
import { refuseUnsupported } from './unsupported.ts'
import { json } from './wire.ts'

/** The graph that an `assistant_id` names. Throws `graph_unknown`. */
export async function graphOfAssistant({ graphs }: Service, id: string): Promise<CompiledGraph> {
  if (Object.hasOwn(graphs, id) && graphs[id] !== undefined) return graphs[id]
  for (const [name, graph] of Object.entries(graphs)) if ((await assistantIdOf(name)) === id) return graph
  throw new RecollectError(
    'graph_unknown',
    `There is no assistant "${id.slice(0, 128)}"${didYouMean(id, Object.keys(graphs))}. POST /assistants/search lists them.`,
  )
}

const ids = new Map<string, string>()

/** The id that a LangGraph server gives the default assistant of a graph: UUID 5 of its name. */
export async function assistantIdOf(graph: string): Promise<string> {
  const id = ids.get(graph) ?? (await nameBasedUuid(graph))
  ids.set(graph, id)
  return id
}

const graphNamespace = '6ba7b8219dad11d180b400c04fd430c8'

async function nameBasedUuid(name: string): Promise<string> {
  const namespace = Uint8Array.from(graphNamespace.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  const named = new Uint8Array([...namespace, ...new TextEncoder().encode(name)])
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-1', named)).slice(0, 16)
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [0, 8, 12, 16, 20].map((at, index, all) => hex.slice(at, all[index + 1])).join('-')
}

async function assistant(graph: string): Promise<Output<typeof Assistant>> {
  return {
    assistant_id: await assistantIdOf(graph),
    graph_id: graph,
    name: graph,
    description: '',
    config: {},
    context: {},
    metadata: { created_by: 'system' },
    version: 1,
    // Graphs are code, and code does not know when it was deployed.
    created_at: '1970-01-01T00:00:00.000Z',
    updated_at: '1970-01-01T00:00:00.000Z',
  }
}

const AssistantFilter = lazily(() =>
  z.strictObject({
    graph_id: maybe(Text),
    name: maybe(Text),
    metadata: maybe(Metadata()),
  }),
)

async function matching(
  { graphs }: Service,
  filter: Output<typeof AssistantFilter>,
): Promise<Output<typeof Assistant>[]> {
  refuseUnsupported(filter, ['metadata'])
  const names = Object.keys(graphs).filter(
    (name) => (filter.graph_id ?? name) === name && name.toLowerCase().includes((filter.name ?? '').toLowerCase()),
  )
  return Promise.all(names.map(assistant))
}

const scopes = ['chat', 'operate'] as const
const tag = 'Assistants'

export const assistantRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/assistants/search',
    scopes,
    tag,
    summary: 'List the graphs that can be run',
    body: () =>
      z.extend(AssistantFilter(), {
        limit: limit(1_000),
        offset: offset(),
        select: maybe(z.array(Text)),
        sort_by: maybe(Text),
        sort_order: maybe(z.enum(['asc', 'desc'])),
      }),
    responses: {
      200: {
        description: 'The assistants, in the order in which the graphs were given',
        schema: () => z.array(Assistant()),
      },
    },
    handle: async ({ service, body }) => {
      refuseUnsupported(body, ['select', 'sort_by', 'sort_order'])
      const found = await matching(service, body)
      return json(found.slice(body.offset, body.offset + body.limit), { 'x-pagination-total': String(found.length) })
    },
  }),
  route({
    method: 'POST',
    path: '/assistants/count',
    scopes,
    tag,
    summary: 'Count the graphs that can be run',
    body: AssistantFilter,
    responses: { 200: { description: 'How many there are', schema: () => Integer } },
    handle: async ({ service, body }) => json((await matching(service, body)).length),
  }),
  route({
    method: 'GET',
    path: '/assistants/:assistant_id',
    scopes,
    tag,
    summary: 'One graph, by its name or its id',
    responses: { 200: { description: 'The assistant', schema: Assistant } },
    handle: async ({ service, parameters }) =>
      json(await assistant((await graphOfAssistant(service, parameters.assistant_id)).name)),
  }),
  route({
    method: 'GET',
    path: '/assistants/:assistant_id/graph',
    scopes,
    tag,
    summary: 'Its nodes and edges',
    responses: {
      200: {
        description: 'A route that is a function has an edge to every node it might choose',
        schema: () => z.strictObject({ nodes: z.array(JsonObject()), edges: z.array(JsonObject()) }),
      },
    },
    handle: async ({ service, parameters }) => json(drawing(await graphOfAssistant(service, parameters.assistant_id))),
  }),
  route({
    method: 'GET',
    path: '/assistants/:assistant_id/schemas',
    scopes,
    tag,
    summary: 'Its channels, as JSON Schema',
    description: 'Channels have types in TypeScript only: the schemas name them and say nothing of their form.',
    responses: { 200: { description: 'The schemas', schema: JsonObject } },
    handle: async ({ service, parameters }) => {
      const { name, graph } = await graphOfAssistant(service, parameters.assistant_id)
      const properties = Object.fromEntries(Object.keys(graph.channels).map((channel) => [channel, {}]))
      const schema = { type: 'object', properties, additionalProperties: false }
      const none = { type: 'object', properties: {} }
      const schemas = { input_schema: schema, output_schema: schema, state_schema: schema }
      return json({ graph_id: name, ...schemas, config_schema: none, context_schema: none })
    },
  }),
]

const start = '__start__'
const end = '__end__'

function drawing({ graph }: CompiledGraph) {
  const names = [...graph.nodes.keys()]
  const edges = [...graph.edges].flatMap(([source, edge]) => {
    const conditional = typeof edge === 'function'
    const targets = conditional ? [...names, end] : edge
    return targets.map((target) => ({ source: source === 'start' ? start : source, target, conditional }))
  })
  const ends = names.filter((name) => !graph.edges.has(name))
  return {
    nodes: [start, ...names, end].map((id) => ({ id, type: 'runnable', data: { id: [id], name: id } })),
    edges: [...edges, ...ends.map((source) => ({ source, target: end, conditional: true }))],
  }
}
