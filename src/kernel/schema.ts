// Standard Schema 1 (https://standardschema.dev): how a user's validator, of any vendor, is called.
import { type ErrorCode, RecollectError } from './errors.ts'

/** The part of Standard Schema that recollect uses. zod, zod/mini, valibot, arktype and others implement it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Standard JSON Schema, where the vendor has it. */
    readonly jsonSchema?:
      | { readonly input: (options: { target: 'draft-2020-12' }) => Record<string, unknown> }
      | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export type InputOf<S> = S extends StandardSchema<infer Input, unknown> ? Input : never
export type OutputOf<S> = S extends StandardSchema<infer _, infer Output> ? Output : never

/** Validates, or throws `code` with every issue as `path: message`. */
export async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  failure: { code: ErrorCode; what: string },
): Promise<Output> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new RecollectError(failure.code, `${failure.what} is not valid: ${issueText(result.issues)}`)
}

/** `path: message; path: message`, at most eight of them. */
export function issueText(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, 8).map((issue) => {
    const { path } = issue
    const message = wordsOf(issue)
    const at = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return at === '' ? message : `${at}: ${message}`
  })
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : ''
  return shown.join('; ') + more
}

/** zod/mini comes without a language, and says "Invalid input" of everything: a model that is told no more calls the same again. */
function wordsOf(issue: SchemaIssue): string {
  if (issue.message !== 'Invalid input') return issue.message
  const { expected, minimum, maximum, origin }: Readonly<Record<string, unknown>> = { ...issue }
  const unit = origin === 'string' ? 'characters ' : origin === 'array' ? 'elements ' : ''
  if (expected !== undefined) return `must be of the type ${expected}`
  if (minimum !== undefined) return `must be ${minimum} ${unit}or more`
  return maximum === undefined ? issue.message : `must be ${maximum} ${unit}or less`
}
