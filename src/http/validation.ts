// Checking what came in against a schema of zod/mini, with messages that name the field and say what was expected.
import * as z from 'zod/mini'
import { didYouMean, RecollectError } from '../kernel/errors.ts'

export type Schema = z.ZodMiniType

/** The value as its schema gives it, or `input_invalid`. `what` begins the message: "The body". */
export function checked<S extends Schema>(schema: S, value: unknown, what: string): z.output<S> {
  const result = z.safeParse(schema, value)
  if (result.success) return result.data
  const { issues } = result.error
  const shown = issues.slice(0, 5).map((issue) => sentence(issue, value, schema))
  const more = issues.length > shown.length ? ` And ${issues.length - shown.length} more.` : ''
  throw new RecollectError('input_invalid', `${what} is not valid: ${shown.join(' ')}${more}`)
}

type Issue = z.core.$ZodIssue

function sentence(issue: Issue, value: unknown, schema: Schema): string {
  const field = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => `"${key.slice(0, 60)}"${didYouMean(key, fieldsAt(schema, issue.path))}`)
    return `${field === '' ? 'it' : field} has ${names.join(', ')}, which is not known.`
  }
  const found = kindOf(issue.path.reduce(inside, value))
  const expected = expectation(issue)
  const typed = issue.code === 'invalid_type' || (issue.code === 'invalid_union' && expected.startsWith('must be '))
  return `${field === '' ? 'it' : field} ${expected}${typed ? `, not ${found}` : ''}.`
}

/** zod/mini comes without a language: these are its words. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${withArticle(issue.expected)}`
    case 'invalid_value':
      return `must be ${issue.values.map((allowed) => JSON.stringify(allowed)).join(' or ')}`
    case 'too_small':
      return `must ${measure(issue.origin)} ${issue.minimum} or more`
    case 'too_big':
      return `must ${measure(issue.origin)} ${issue.maximum} or less`
    default:
      // What the schema says itself goes before.
      if (issue.message !== 'Invalid input') return issue.message
      return issue.code === 'invalid_union' ? alternatives(issue) : 'has a form that is not allowed'
  }
}

/** What each of the kinds that it may be expects; of the one that fits further in, what is wrong there. */
function alternatives({ errors }: z.core.$ZodIssueInvalidUnion): string {
  const first = errors.flatMap((issues) => issues.slice(0, 1))
  const inner = first.find(({ path }) => path.length > 0)
  if (inner !== undefined) return `at ${inner.path.map(String).join('.')} ${expectation(inner)}`
  const said = new Set(first.map(expectation).filter((words) => words.startsWith('must be ')))
  return said.size === 0 ? 'has a form that is not allowed' : [...said].join(' or ').replaceAll(' or must be ', ' or ')
}

function measure(origin: string): string {
  if (origin === 'string') return 'have a length of'
  return origin === 'array' ? 'have a number of elements of' : 'be'
}

function withArticle(expected: string): string {
  if (expected === 'int') return 'a whole number'
  if (expected === 'record') return 'an object'
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : withArticle(typeof value)
}

function inside(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
}

function fieldsAt(schema: Schema, path: readonly PropertyKey[]): readonly string[] {
  return path.length === 0 && schema instanceof z.ZodMiniObject ? Object.keys(schema.shape) : []
}
