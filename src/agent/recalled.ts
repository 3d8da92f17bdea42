// What an agent remembers with: the channel of what was recalled, the node that recalls, and the ids that an answer cites.
import { type Channel, channel } from '../graph/channel.ts'
import type { PlainNode } from '../graph/node.ts'
import { RecollectError } from '../kernel/errors.ts'
import type { Filter } from '../kernel/filter.ts'
import { isItemId } from '../kernel/item.ts'
import { isRecord } from '../kernel/json.ts'
import { assertNamespace, type Namespace } from '../kernel/namespace.ts'
import { namespaceFor, templateOf } from '../memory/namespace-template.ts'
import type { RecalledRef } from '../memory/recalled-text.ts'
import type { Message } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'

/**
 * What was recalled last. The thread keeps ids and versions, never texts: `model.reply(…, { recalled: state.recalled })` reads
 * them again, and what was forgotten meanwhile is a gap. Refused is what `memory.recall` does not give: as input with `input_invalid`,
 * from a node with `node_write_invalid`.
 */
export function recalled(): Channel<readonly RecalledRef[], readonly RecalledRef[]> {
  return channel({
    initial: (): readonly RecalledRef[] => [],
    reduce: (_current, update: readonly RecalledRef[]) => {
      if (!Array.isArray(update)) throw refused('it must be an array of what memory.recall gave')
      return update.map(refOf)
    },
  })
}

function refOf(given: unknown): RecalledRef {
  const { id, version, namespace } = isRecord(given) ? given : {}
  if (!isItemId(id) || typeof version !== 'number') {
    throw refused('each must have an id and a version')
  }
  assertNamespace(namespace)
  return { id, version, namespace }
}

export interface RecallNodeOptions {
  /** Segments; `{user}` and `{thread}` stand for the run's own. `['users', '{user}']` unless told otherwise. */
  readonly namespace?: Namespace
  /** How many at most, 1 to 100. 5 unless told otherwise. */
  readonly limit?: number
  /** About how many tokens their texts may have, at four characters each. 1,000 unless told otherwise. */
  readonly budgetTokens?: number
  /** Which ones alone, such as `{ op: 'contains', field: 'tags', value: 'travel' }`. */
  readonly filter?: Filter
}

/** A node that recalls what is near the person's last message. Pure. Of nobody it recalls nothing: a run without a user has no `{user}`. Throws `id_invalid` for what is no namespace. */
export function recallNode({
  namespace: template,
  ...options
}: RecallNodeOptions = {}): PlainNode<
  { readonly messages: readonly Message[] },
  { recalled: readonly RecalledRef[] },
  Context
> {
  const namespace = templateOf(template)
  return {
    pure: true,
    requires: ['store'],
    run: async ({ messages }, context) => {
      if (context.user === '' && namespace.includes('{user}')) return { recalled: [] }
      const memory = context.memory(...namespaceFor(namespace, context))
      const asked = messages.findLast(({ role }) => role === 'user')?.content ?? ''
      // Ids alone: what a node gives is told to readers, and kept for those who come back; a run knows the texts itself.
      return { recalled: (await memory.recall(asked, options)).map(refOf) }
    },
  }
}

/** The ids that a text cites as `[id]`, or several as `[id, id]`, each once. `unknown`: those that were not recalled; a model has made them up, or was told them. */
export function citations(
  text: string,
  memories: readonly Pick<RecalledRef, 'id'>[],
): { readonly cited: readonly string[]; readonly unknown: readonly string[] } {
  const brackets = text.match(/\[[^[\]]+\]/g) ?? []
  const cited = [...new Set(brackets.flatMap((ids) => ids.match(/[\w-]+/g) ?? []).filter(isItemId))]
  return { cited, unknown: cited.filter((id) => !memories.some((memory) => memory.id === id)) }
}

function refused(problem: string): RecollectError {
  return new RecollectError('input_invalid', `In what was recalled, ${problem}.`)
}
