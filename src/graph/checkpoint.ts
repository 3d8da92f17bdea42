// A checkpoint as plain data, its stored text, and the upgrade chain of that text.
import { RecollectError } from '../kernel/errors.ts'
import { decode, encode, isRecord } from '../kernel/json.ts'
import type { ChannelDelta } from './delta.ts'

/** One task that is due: a node, and for a `send` the values laid over the state. */
export interface Due {
  readonly node: string
  readonly input?: Readonly<Record<string, unknown>>
}

/** All that planning reads. Immutable. */
export interface Position {
  /** Channels that were written at least once. Values of channels that a newer graph no longer has are kept. */
  readonly values: Readonly<Record<string, unknown>>
  readonly due: readonly Due[]
  /** Join → the sources that have arrived. */
  readonly arrived: Readonly<Record<string, readonly string[]>>
}

/** What one checkpoint stores: what changed since its parent, and what is due. */
export interface Delta {
  readonly channels: Readonly<Record<string, ChannelDelta>>
  readonly due: readonly Due[]
  readonly arrived: Readonly<Record<string, readonly string[]>>
}

export const emptyPosition: Position = { values: {}, due: [], arrived: {} }

/**
 * The format of stored checkpoints. Raise it with every change of shape, add a step to `upgrades` and a golden file to
 * `test/graph/golden`: what was ever released must load for ever.
 */
export const formatVersion = 1

type Upgrade = (stored: Record<string, unknown>) => Record<string, unknown>

/** `upgrades[n]` turns format n into n + 1. */
const upgrades: Readonly<Record<number, Upgrade>> = {}

export function deltaText({ channels, due, arrived }: Delta): string {
  return encode({ v: formatVersion, c: channels, ...controlOf(due, arrived) })
}

export function snapshotText({ values, due, arrived }: Position): string {
  return encode({ v: formatVersion, s: values, ...controlOf(due, arrived) })
}

export function parseDelta(text: string): Delta {
  const stored = parse(text, 'c')
  return { channels: stored.c as Delta['channels'], ...control(stored) }
}

export function parseSnapshot(text: string): Position {
  const stored = parse(text, 's')
  return { values: stored.s as Position['values'], ...control(stored) }
}

/** Absent when empty: most checkpoints are the last of a turn, with nothing due. */
function controlOf(due: readonly Due[], arrived: Position['arrived']) {
  return { ...(due.length > 0 && { d: due }), ...(Object.keys(arrived).length > 0 && { a: arrived }) }
}

function control(stored: Record<string, unknown>): Pick<Position, 'due' | 'arrived'> {
  return { due: (stored.d ?? []) as readonly Due[], arrived: (stored.a ?? {}) as Position['arrived'] }
}

function parse(text: string, content: 'c' | 's'): Record<string, unknown> {
  let stored = decode(text)
  while (isRecord(stored) && typeof stored.v === 'number' && stored.v < formatVersion) {
    const upgrade = upgrades[stored.v]
    if (upgrade === undefined) break
    stored = upgrade(stored)
  }
  if (!isRecord(stored) || stored.v !== formatVersion) {
    const version = isRecord(stored) ? stored.v : 'none'
    throw new RecollectError(
      'checkpoint_unreadable',
      `A stored checkpoint has format ${String(version)}; this version reads up to ${formatVersion}. Deploy the version that wrote it, or a newer one.`,
    )
  }
  if (!isRecord(stored[content])) {
    const missing = content === 'c' ? 'delta' : 'state'
    throw new RecollectError('checkpoint_unreadable', `A stored checkpoint has no ${missing} where one must be.`)
  }
  return stored
}
