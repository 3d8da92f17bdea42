// Tools by which a model remembers, recalls and forgets. What they give back has ids, to be cited.
import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { Namespace } from '../kernel/namespace.ts'
import { namespaceFor, templateOf } from '../memory/namespace-template.ts'
import { recalledText } from '../memory/recalled-text.ts'
import { secretIn } from '../memory/secrets.ts'
import { type Tool, type ToolContext, tool } from './tool.ts'

export interface MemoryToolOptions {
  /** Segments; `{user}` and `{thread}` stand for the run's own. `['users', '{user}']` unless told otherwise. */
  readonly namespace?: Namespace
}

function memoryIn({ namespace }: MemoryToolOptions) {
  const template = templateOf(namespace)
  return (context: ToolContext) => context.memory(...namespaceFor(template, context))
}

const requires = ['store'] as const

/**
 * `remember`: keeps one fact, and refuses what looks like a secret. What is remembered has the source `tool`, and under a `key` it
 * takes the place of what the tool remembered under it before, as the item `tool:<key>`. Throws `id_invalid` for what is no namespace.
 */
export function rememberTool(options: MemoryToolOptions = {}): Tool {
  const memoryOf = memoryIn(options)
  return tool('remember', {
    requires,
    description:
      'Keep one lasting fact or preference for later conversations, in one sentence that stands by itself. Under the same key a later one takes its place. Not for secrets or passing matters.',
    input: z.object({
      text: z.string().check(z.minLength(1), z.maxLength(2_000)),
      key: z.optional(z.string().check(z.minLength(1), z.maxLength(128))),
      tags: z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(64))).check(z.maxLength(8))),
    }),
    run: async ({ text, key, tags }, context) => {
      const secret = [text, key ?? '', ...(tags ?? [])].map(secretIn).find((found) => found !== undefined)
      if (secret !== undefined) {
        const refusal = `Not remembered: this looks like ${secret}, and secrets are never kept. Leave it out, or remember nothing of it.`
        throw new RecollectError('input_invalid', refusal)
      }
      // Among the model's own: a text that talks it into a key takes the place of nothing that the application keeps.
      const own = key === undefined ? {} : { key: `tool:${key}` }
      const told = { source: 'tool', ...own, ...(tags !== undefined && { tags }) }
      const { id } = await memoryOf(context).remember(text, told)
      return `remembered as [${id}]`
    },
  })
}

/** `recall`: what is near a question, 5 memories unless the model asks for up to 20. Throws `id_invalid` for what is no namespace. */
export function recallTool(options: MemoryToolOptions = {}): Tool {
  const memoryOf = memoryIn(options)
  return tool('recall', {
    requires,
    description: 'Look up what was remembered in earlier conversations. Cite what you use by its id, as [id].',
    input: z.object({
      query: z.string().check(z.minLength(1), z.maxLength(1_000)),
      limit: z.optional(z.int().check(z.minimum(1), z.maximum(20))),
    }),
    run: async ({ query, limit = 5 }, context) => {
      const memories = await memoryOf(context).recall(query, { limit })
      return recalledText(memories) || 'Nothing is remembered about that.'
    },
  })
}

/** `forget`: deletes one memory, with its history. Throws `id_invalid` for what is no namespace. */
export function forgetTool(options: MemoryToolOptions = {}): Tool {
  const memoryOf = memoryIn(options)
  return tool('forget', {
    requires,
    description: 'Delete one memory for good, by its id, when the person asks for it.',
    input: z.object({ id: z.string().check(z.maxLength(64)) }),
    run: async ({ id }, context) => {
      const forgotten = await memoryOf(context).forget(id.replace(/^\[|\]$/g, ''))
      return forgotten ? 'forgotten' : `There is no memory ${id}.`
    },
  })
}
