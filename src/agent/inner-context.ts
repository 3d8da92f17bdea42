// A node's context for a part of the node, such as one call of a tool or one node of a subgraph: with a key of its own.
import type { Context } from '../runtime/context.ts'

/** Spelled out: its parts are getters of a class. Two parts may use the same keys of `task`. */
export function innerContext(context: Context, key: string): Context {
  const { tenant, user, thread, run, step, node, attempt, env } = context
  return {
    ...{ tenant, user, thread, run, step, node, attempt, env },
    idempotencyKey: `${context.idempotencyKey}:${key}`,
    get signal() {
      return context.signal
    },
    get model() {
      return context.model
    },
    get store() {
      return context.store
    },
    get memory() {
      return context.memory
    },
    emit: (name, data) => context.emit(name, data),
    task: (name, make) => context.task(`${key}/${name}`, make),
    interrupt: (question, payload, terms) => context.interrupt(question, payload, terms),
    outbox: (topic, payload) => context.outbox(topic, payload),
  }
}
