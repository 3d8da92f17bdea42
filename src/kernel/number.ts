// Whole numbers from outside, within bounds.
import { RecollectError } from './errors.ts'

/** A limit, an offset or a version, or throws `input_invalid`, naming it and its bounds. */
export function wholeNumber(name: string, given: unknown, range: { atLeast: number; atMost: number }): number {
  if (isWhole(given, range.atLeast, range.atMost)) return given
  throw new RecollectError('input_invalid', `${name} must be a whole number from ${range.atLeast} to ${range.atMost}.`)
}

export function isWhole(given: unknown, atLeast: number, atMost: number): given is number {
  return typeof given === 'number' && Number.isSafeInteger(given) && given >= atLeast && given <= atMost
}
