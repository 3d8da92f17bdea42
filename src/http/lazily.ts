// Schemas made when they are first asked for: each costs some 50 µs of CPU, and a Worker's start would pay for hundreds, to use a few.
import type * as z from 'zod/mini'
import type { Schema } from './validation.ts'

export type LazySchema<S extends Schema = Schema> = () => S

/** What data of such a schema is. */
export type Output<L extends LazySchema> = z.output<ReturnType<L>>

/** The same schema at every call, made at the first. */
export function lazily<S extends Schema>(make: LazySchema<S>): LazySchema<S> {
  let made: S | undefined
  return () => {
    made ??= make()
    return made
  }
}
