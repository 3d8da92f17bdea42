// The plainest shapes, each made once: a schema costs a Worker's start some 50 µs to make, and the route table has hundreds of these.
import * as z from 'zod/mini'

export const Text = z.string()
export const Integer = z.int()
export const Flag = z.boolean()
export const Anything = z.unknown()
export const DateTime = z.iso.datetime()
