// What the tasks of a run share, and what one of them knows of its place.
import type { Model } from '../ports/model.ts'
import type { Env } from './context.ts'
import type { Emit } from './events.ts'
import type { Remembering } from './remembering.ts'
import type { Superstep } from './superstep.ts'
import type { TaskParts } from './task-parts.ts'

/** What only whoever holds the thread knows. */
export interface Held {
  readonly epoch: number
  /** `undefined`: the run has no thread. */
  readonly claim: { readonly thread: string; readonly token: string } | undefined
  readonly parts: TaskParts
}

export function isHeld(held: Held | Promise<Held>): held is Held {
  return !(held instanceof Promise)
}

/** What all tasks of a run share. */
export interface RunScope {
  readonly tenant: string
  readonly user: string
  readonly thread: string | undefined
  readonly run: string
  /** A promise while the claim is only hoped for. */
  readonly held: Held | Promise<Held>
  /** What the outbox takes; `undefined`: this run has none. */
  readonly topics: readonly string[] | undefined
  readonly env: Env
  readonly model: Model | undefined
  readonly remembering: Remembering
  readonly signal: AbortSignal
  readonly emit: Emit
}

export interface TaskPlace extends Superstep {
  readonly index: number
  readonly node: string
  readonly attempt: number
  /** What its node sees. */
  readonly state: Readonly<Record<string, unknown>>
  /** What it may ask. */
  readonly interrupts: readonly { readonly name: string }[]
}
