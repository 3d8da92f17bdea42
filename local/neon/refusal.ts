// Errors on Neon's wire: what the proxy itself refuses, and how Postgres' own errors are written down.
import { DatabaseError } from 'pg-protocol'

/** Refused by the proxy, not by Postgres: on the wire its `code` is empty. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const fields = [
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'table',
  'column',
  'schema',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** Status and body of an error. Everything that is not there is null, as Neon has it; a lost connection is a 400 without a code. */
export function errorOnWire(error: unknown): { status: number; body: Record<string, string | null> } {
  const database = error instanceof DatabaseError ? error : undefined
  const body: Record<string, string | null> = {
    message: error instanceof Error ? error.message : String(error),
    code: database?.code ?? '',
    severity: database?.severity ?? '',
  }
  for (const field of fields) body[field] = database?.[field] ?? null
  return { status: error instanceof Refusal ? error.status : 400, body }
}
