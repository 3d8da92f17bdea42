// What the wire has and this version has not: refused by name, never passed over in silence.
import { RecollectError } from '../kernel/errors.ts'

export function unsupported(field: string, instead?: string): RecollectError {
  return new RecollectError(
    'feature_unsupported',
    `"${field}" is not supported by this version${instead === undefined ? '' : `: ${instead}`}. Leave it out.`,
    { details: { field } },
  )
}

/** Throws for the first of `fields` that asks for something: all but null, nothing, `[]` and `{}` do. */
export function refuseUnsupported(
  body: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  prefix = '',
): void {
  for (const field of fields) if (asks(body[field])) throw unsupported(prefix + field)
}

function asks(value: unknown): boolean {
  if (value === undefined || value === null) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}
