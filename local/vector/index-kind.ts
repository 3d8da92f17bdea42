// What is chosen when an index is created: what its vectors are, and how dense ones are compared.
import { unprocessable } from './vector-error.ts'

export const indexTypes = ['DENSE', 'SPARSE', 'HYBRID'] as const
export const similarities = ['COSINE', 'EUCLIDEAN', 'DOT_PRODUCT'] as const

export interface IndexKind {
  readonly type: (typeof indexTypes)[number]
  /** Numbers in a dense vector; 0 in a sparse index. */
  readonly dimension: number
  readonly similarity: (typeof similarities)[number]
}

/** What finds best without a real embedding model. */
export const defaultKind: IndexKind = { type: 'SPARSE', dimension: 0, similarity: 'COSINE' }

/** That of the scripted model's embeddings. */
const usualDimension = 256

export function kindName({ type, dimension, similarity }: IndexKind): string {
  return (type === 'SPARSE' ? [type] : [type, dimension, similarity]).join('/').toLowerCase()
}

/** `hybrid/256/cosine`, `dense/1536`, `sparse`: what is left out is 256 and cosine. Throws on anything else. */
export function indexKindOf(name: string): IndexKind {
  const [first = '', second, third, ...rest] = name.toUpperCase().split('/')
  const type = indexTypes.find((one) => one === first)
  if (type === 'SPARSE' && second === undefined) return defaultKind
  const dimension = Number(second ?? usualDimension)
  const similarity = similarities.find((one) => one === (third ?? defaultKind.similarity))
  const positive = Number.isInteger(dimension) && dimension > 0
  if (type === undefined || type === 'SPARSE' || !positive || similarity === undefined || rest.length > 0) {
    throw new Error(
      `'${name}' is no kind of index. Say sparse, or dense or hybrid with a dimension and ` +
        `cosine, euclidean or dot_product, as in hybrid/256/cosine.`,
    )
  }
  return { type, dimension, similarity }
}

export const hasDense = ({ type }: IndexKind) => type !== 'SPARSE'
export const hasSparse = ({ type }: IndexKind) => type !== 'DENSE'

/** Whether what is written has what the index needs, and nothing it cannot keep. */
export function assertComplete(kind: IndexKind, given: { vector: boolean; sparse: boolean }): void {
  if (hasDense(kind) && !given.vector) throw unprocessable('This index requires dense vectors')
  if (hasSparse(kind) && !given.sparse) throw unprocessable('This index requires sparse vectors')
  assertKnown(kind, given)
}

export function assertKnown(kind: IndexKind, given: { vector: boolean; sparse: boolean }): void {
  if (!hasDense(kind) && given.vector) throw unprocessable('This index does not support dense vectors')
  if (!hasSparse(kind) && given.sparse) throw unprocessable('This index does not support sparse vectors')
}
