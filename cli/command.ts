// What a command of the CLI is: the words that it takes, and what it does with the service.
import type { Service } from './service.ts'

export interface Command {
  /** Words that must follow its name, and in brackets those that may: `['THREAD', '[CHECKPOINT]']`. */
  readonly words: readonly string[]
  readonly summary: string
  readonly options?: Readonly<Record<string, Option>>
  /** Gives what `--json` prints, and the same for a person. */
  run(call: CommandCall): Promise<Output>
}

export interface Option {
  /** `VALUE`, as the help shows it; absent for one that takes none. */
  readonly value?: string
  readonly summary: string
}

export interface CommandCall {
  readonly service: Service
  /** In the order of `Command.words`. */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | undefined>>
}

export interface Output {
  readonly data: unknown
  readonly text: string
}

/** The caller has to write it otherwise: nothing was sent. */
export class UsageError extends Error {}

/** A whole number of an option, as text. */
export function wholeNumber(options: CommandCall['options'], name: string): string | undefined {
  const given = options[name]
  if (given !== undefined && !/^\d{1,7}$/.test(given))
    throw new UsageError(`--${name} must be a whole number, not "${given}".`)
  return given
}

/** The JSON object that an option gives. */
export function jsonObject(options: CommandCall['options'], name: string): Record<string, unknown> | undefined {
  const given = options[name]
  if (given === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(given)
  } catch {
    throw new UsageError(`--${name} is not JSON. In a shell, put it in single quotes: --${name} '{"word":"new"}'`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new UsageError(`--${name} must be a JSON object.`)
}
