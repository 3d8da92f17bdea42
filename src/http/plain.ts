// The plainest shapes, of which one each is enough.
import * as z from 'zod/mini'

export const Text = z.string()
export const Integer = z.int()
export const Flag = z.boolean()
export const Anything = z.unknown()
export const DateTime = z.iso.datetime()
