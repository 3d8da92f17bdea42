// One vector with its metadata and data, as it is kept, as it is written to the journal, and as it is shown.
//
// R1  A row is never changed: an update makes another one. What queries see may lag behind what was written, so both are held.
// R2  Numbers are 32-bit floats, and are shown as the shortest decimal that reads back as the same one.

export type Metadata = Readonly<Record<string, unknown>>

export interface Sparse {
  readonly indices: Int32Array
  readonly values: Float32Array
}

export interface RowContent {
  readonly id: string
  readonly vector?: Float32Array | undefined
  readonly sparse?: Sparse | undefined
  readonly metadata?: Metadata | undefined
  readonly data?: string | undefined
}

export interface Row extends RowContent {
  /** Grows with each id that is new in the namespace: a cursor is one of them. */
  readonly sequence: number
  /** Euclidean length of the dense vector. */
  readonly length: number
  readonly bytes: number
}

export function rowOf(content: RowContent, sequence: number): Row {
  const { id, vector, sparse, metadata, data } = content
  const texts = [id, data ?? '', metadata === undefined ? '' : JSON.stringify(metadata)]
  const bytes =
    texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) +
    (vector?.byteLength ?? 0) +
    (sparse === undefined ? 0 : sparse.indices.byteLength + sparse.values.byteLength)
  let squares = 0
  for (const value of vector ?? []) squares += value * value
  return { ...content, sequence, length: Math.sqrt(squares), bytes }
}

/** A row in the journal: vectors are base64 of their bytes, a third of what they are in decimals, and exact. */
export interface StoredRow {
  id: string
  n: number
  v?: string
  s?: [indices: string, values: string]
  m?: Metadata
  d?: string
}

export function stored({ id, sequence, vector, sparse, metadata, data }: Row): StoredRow {
  return {
    id,
    n: sequence,
    ...(vector && { v: base64(vector) }),
    ...(sparse && { s: [base64(sparse.indices), base64(sparse.values)] }),
    ...(metadata && { m: metadata }),
    ...(data !== undefined && { d: data }),
  }
}

export function restored({ id, n, v, s, m, d }: StoredRow): Row {
  return rowOf(
    {
      id,
      vector: v === undefined ? undefined : new Float32Array(bytesOf(v)),
      sparse: s && { indices: new Int32Array(bytesOf(s[0])), values: new Float32Array(bytesOf(s[1])) },
      metadata: m,
      data: d,
    },
    n,
  )
}

/** Journals stay on the machine they were written on, so its own order of bytes will do. */
const base64 = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

function bytesOf(text: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = Buffer.from(text, 'base64')
  // A small buffer is a part of a pool, at an address that may suit no number.
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}

export interface Shown {
  readonly includeVectors?: boolean | undefined
  readonly includeMetadata?: boolean | undefined
  readonly includeData?: boolean | undefined
}

export function shown({ id, vector, sparse, metadata, data }: Row, include: Shown, score?: number) {
  const { includeVectors, includeMetadata, includeData } = include
  return {
    id,
    ...(score !== undefined && { score: shortest(score) }),
    ...(includeVectors && vector && { vector: Array.from(vector, shortest) }),
    ...(includeVectors &&
      sparse && { sparseVector: { indices: [...sparse.indices], values: Array.from(sparse.values, shortest) } }),
    ...(includeMetadata && metadata && { metadata }),
    ...(includeData && data !== undefined && { data }),
  }
}

/** Six digits always tell a 32-bit float's decimal, nine always tell the float. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits))
    if (Math.fround(decimal) === value) return decimal
  }
  return Number(value.toPrecision(9))
}
