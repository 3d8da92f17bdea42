// What a caller may send, checked, with vectors as typed arrays and ids as strings. Other fields are ignored.
import { z } from 'zod'
import { type Filter, filterOf } from './filter.ts'
import type { Sparse } from './row.ts'
import { unprocessable, VectorError } from './vector-error.ts'
import { mostIndices } from './words.ts'

const mostMetadataBytes = 48 * 1024
const mostDataBytes = 1024 * 1024

const id = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => text !== '', 'expected an id that is not empty')

/** Rounded to 32 bits, where a number may be too large. */
const floats = z
  .array(z.number())
  .transform((numbers) => Float32Array.from(numbers))
  .refine((rounded) => rounded.every(Number.isFinite), 'expected numbers that fit 32 bits')

const vector = floats.refine((numbers) => numbers.length > 0, 'expected numbers')

const sparseVector = z
  .object({ indices: z.array(z.int32()), values: floats })
  .refine(({ indices, values }) => indices.length === values.length, 'indices and values must be of the same length')
  .refine(({ indices }) => new Set(indices).size === indices.length, 'indices must not repeat')
  .refine(({ indices }) => indices.length <= mostIndices, `at most ${mostIndices} indices`)
  .transform(({ indices, values }): Sparse => ({ indices: Int32Array.from(indices), values }))

const metadata = z
  .record(z.string(), z.unknown())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= mostMetadataBytes, 'metadata is larger than 48 KB')

const data = z.string().refine((text) => Buffer.byteLength(text) <= mostDataBytes, 'data is larger than 1 MB')

const include = {
  includeVectors: z.boolean().optional(),
  includeMetadata: z.boolean().optional(),
  includeData: z.boolean().optional(),
}

const searching = {
  ...include,
  topK: z.int().min(1).default(10),
  filter: z
    .string()
    .default('')
    .transform((text): Filter | undefined => (text.trim() === '' ? undefined : filterOf(text))),
  weightingStrategy: z.literal('IDF').optional(),
  fusionAlgorithm: z.enum(['RRF', 'DBSF']).default('RRF'),
}

/** One or several, as the body of most requests may be. */
const several = <Item extends z.ZodType>(item: Item) => z.union([z.array(item).min(1), item.transform((one) => [one])])

const upsertItem = z.object({
  id,
  vector: vector.optional(),
  sparseVector: sparseVector.optional(),
  metadata: metadata.optional(),
  data: data.optional(),
})
const upsertDataItem = z.object({ id, data, metadata: metadata.optional() })
const queryItem = z.object({ ...searching, vector: vector.optional(), sparseVector: sparseVector.optional() })
const queryDataItem = z.object({ ...searching, data, queryMode: z.enum(['HYBRID', 'DENSE', 'SPARSE']).optional() })

/** Seconds. */
const resumable = { maxIdle: z.number().positive().default(3_600) }

/** Upstash also takes the ids themselves as the body. */
const ids = z.union([z.array(id), id.transform((one) => [one])])
const selection = z.union([
  ids.transform((list) => ({ ids: list, prefix: undefined, filter: undefined })),
  z.object({ ids: ids.optional(), prefix: z.string().optional(), filter: z.string().optional() }),
])

export const bodies = {
  upsert: several(upsertItem),
  upsertData: several(upsertDataItem),
  query: several(queryItem),
  queryData: several(queryDataItem),
  resumableQuery: queryItem.extend(resumable),
  resumableQueryData: queryDataItem.extend(resumable),
  resumableQueryNext: z.object({ uuid: z.string(), additionalK: z.int().min(1) }),
  resumableQueryEnd: z.object({ uuid: z.string() }),
  update: upsertItem.extend({ metadataUpdateMode: z.enum(['OVERWRITE', 'PATCH']).default('OVERWRITE') }),
  fetch: z.object({ ...include, ids: ids.optional(), prefix: z.string().optional() }),
  range: z.object({
    ...include,
    cursor: z.union([z.string().regex(/^\d*$/), z.number()]).transform(Number),
    limit: z.int().min(1),
    prefix: z.string().default(''),
  }),
  delete: selection,
}

export type UpsertItem = z.infer<typeof upsertItem>
export type UpsertDataItem = z.infer<typeof upsertDataItem>
export type QueryItem = z.infer<typeof queryItem>
export type QueryDataItem = z.infer<typeof queryDataItem>
export type Update = z.infer<typeof bodies.update>

export function bodyOf<T>(body: Buffer, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(jsonOf(body))
  if (parsed.success) return parsed.data
  const issue = deepest(parsed.error.issues)
  const place = issue?.path.join('.')
  throw unprocessable(`Invalid request: ${place ? `${place}: ` : ''}${issue?.message}`)
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw new VectorError(400, 'Invalid request: the body is not JSON')
  }
}

/** Of a union's branches, the one that came furthest knows what was meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [issue] = issues
  if (issue?.code !== 'invalid_union') return issue
  const inner = issue.errors.flatMap((branch) => deepest(branch) ?? [])
  const best = inner.toSorted((one, other) => other.path.length - one.path.length)[0]
  return best === undefined ? issue : { ...best, path: [...issue.path, ...best.path] }
}
