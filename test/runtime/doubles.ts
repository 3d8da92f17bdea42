// What runtime tests drive turns with: a checkpointer with one part replaced, promises settled by hand, events collected.
import { vi } from 'vitest'
import { RecollectError } from '../../src/kernel/errors.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import type { RunEvent } from '../../src/runtime/events.ts'

export const at = { tenant: 'acme', user: 'ada', thread: 't-1' }

/** `inner`, but for what `change` replaces. */
export function altered<Inner extends Checkpointer>(inner: Inner, change: Partial<Checkpointer>): Inner {
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(change, name)) return Reflect.get(change, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

export function unavailable(): RecollectError {
  return new RecollectError('storage_unavailable', 'Postgres did not answer.')
}

/** Every call is made, and the acknowledgement of the first `times` is lost on the way back. */
export function losing<Request, Answer>(call: (request: Request) => Promise<Answer>, times: number) {
  let left = times
  return async (request: Request): Promise<Answer> => {
    const answer = await call(request)
    if (left-- > 0) throw unavailable()
    return answer
  }
}

export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

export function deferred<Value = void>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  return { promise, resolve, reject }
}

/** All events, and what the stream threw after them. */
export async function collected(stream: AsyncIterable<RunEvent>): Promise<{ events: RunEvent[]; error: unknown }> {
  const events: RunEvent[] = []
  try {
    for await (const event of stream) events.push(event)
  } catch (error) {
    return { events, error }
  }
  return { events, error: undefined }
}

export function typesOf(events: readonly RunEvent[]): string[] {
  return events.map(({ type }) => type)
}

export function passing(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const realTimeout = globalThis.setTimeout

/** Moves the fake clock until `work` has settled, and lets what threads of the machine do for it keep up. */
export async function settled<Value>(work: Promise<Value>): Promise<{ value?: Value; error?: unknown }> {
  let result: { value?: Value; error?: unknown } | undefined
  work.then(
    (value) => {
      result = { value }
    },
    (error: unknown) => {
      result = { error }
    },
  )
  for (let turn = 0; result === undefined && turn < 2_000; turn++) {
    await vi.advanceTimersByTimeAsync(100)
    await new Promise((resolve) => realTimeout(resolve, 0))
  }
  if (result === undefined) throw new Error('It did not settle in 200 seconds.')
  return result
}
