// The turns that run in this isolate, with their events, so that a reader who comes late hears them all and anybody may stop them.
//
// In a Worker, I/O belongs to the request that began it, and the turn is the request's that posted it. So nothing here calls
// from one request into another: a reader waits on a promise of its own and then pulls, and a stop is a promise that the
// turn's own request waits on.
import { RecollectError } from '../kernel/errors.ts'
import { heldBytes, weightOf } from '../runtime/event-weight.ts'
import { type Emit, isLast, type RunEvent } from '../runtime/events.ts'

export interface TurnAddress {
  readonly tenant: string
  readonly thread: string
}

type OwnedAddress = TurnAddress & { readonly user: string | null }

export class RunningTurns {
  /** By thread. One of them holds it; others may be asking for it, or have lost it and not heard so yet. */
  readonly #turns = new Map<string, Set<RunningTurn>>()

  /**
   * Begins `work` at once; it goes on whoever reads. `result` settles as the work does, and a caller who answers earlier
   * hands it to `waitUntil`. With its last event a turn is forgotten here; who reads it still reads to the end.
   */
  begin<Result>(
    { user, ...address }: TurnAddress & { readonly user: string },
    work: (emit: Emit, signal: AbortSignal) => Promise<Result>,
    input?: unknown,
  ): { readonly turn: RunningTurn; readonly result: Promise<Result> } {
    const key = keyOf(address)
    const aborting = new AbortController()
    const turn = new RunningTurn(user, input, () => aborting.abort())
    this.#turns.set(key, (this.#turns.get(key) ?? new Set()).add(turn))
    const emit: Emit = (event) => {
      turn.push(event)
      if (isLast(event)) this.#forget(key, turn)
    }
    const ended = (error?: unknown) => {
      turn.end(error)
      this.#forget(key, turn)
    }
    const result = work(emit, aborting.signal)
    result.then(() => ended(), ended)
    return { turn, result }
  }

  /** The turn that holds the thread. `user: null` finds any owner's. */
  find(address: OwnedAddress): RunningTurn | undefined {
    return this.#of(address).findLast(({ run }) => run !== undefined)
  }

  /** Cancels what runs on the thread here, and what is about to. Gives what it asked, to wait for; none: nothing runs here. */
  stop(address: OwnedAddress): readonly Promise<void>[] {
    return this.#of(address).map((turn) => turn.stop())
  }

  #of({ user, ...address }: OwnedAddress): RunningTurn[] {
    const turns = this.#turns.get(keyOf(address)) ?? []
    return [...turns].filter((turn) => user === null || turn.user === user)
  }

  #forget(key: string, turn: RunningTurn): void {
    const turns = this.#turns.get(key)
    turns?.delete(turn)
    if (turns?.size === 0) this.#turns.delete(key)
  }
}

export class RunningTurn {
  readonly user: string
  /** What the turn was begun with: until its first commit no checkpoint has it. */
  readonly input: unknown
  readonly #askToStop: () => void
  #events: { readonly event: RunEvent; readonly bytes: number }[] = []
  #bytes = 0
  /** Events that are held no more. */
  #dropped = 0
  #end: { readonly error?: unknown } | undefined
  #waiting: (() => void)[] = []
  run: string | undefined

  constructor(user: string, input: unknown, abort: () => void) {
    const stop = Promise.withResolvers<void>()
    this.user = user
    this.input = input
    this.#askToStop = stop.resolve
    stop.promise.then(abort)
  }

  /** False once the beginning is held no more: the turn said more than is kept for readers. */
  get replayable(): boolean {
    return this.#dropped === 0
  }

  /** True from the first event on; false when the turn ended without one: refused, or answered before. */
  async speaks(): Promise<boolean> {
    while (this.#events.length === 0 && this.#end === undefined) await this.#news()
    return this.#events.length > 0
  }

  /** From the first event to the last. Throws what ended the turn without a last event. */
  async *events(): AsyncGenerator<RunEvent, void> {
    for (let next = 0; ; ) {
      if (next < this.#dropped) throw tooMuch()
      const held = this.#events[next - this.#dropped]
      if (held !== undefined) {
        next++
        yield held.event
      } else if (this.#end === undefined) {
        await this.#news()
      } else if (this.#end.error === undefined) {
        return
      } else {
        throw this.#end.error
      }
    }
  }

  /** Cancels the run. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#askToStop()
    while (this.#end === undefined) await this.#news()
  }

  push(event: RunEvent): void {
    if (this.#end !== undefined) return
    if (event.type === 'run-queued' || event.type === 'run-started') this.run = event.run
    const bytes = weightOf(event)
    this.#events.push({ event, bytes })
    this.#bytes += bytes
    while (this.#bytes > heldBytes && this.#events.length > 1) {
      this.#bytes -= this.#events.shift()?.bytes ?? 0
      this.#dropped++
    }
    if (isLast(event)) this.#end = {}
    this.#wake()
  }

  end(error?: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

function keyOf({ tenant, thread }: TurnAddress): string {
  return JSON.stringify([tenant, thread])
}

export function tooMuch(): RecollectError {
  return new RecollectError(
    'feature_unsupported',
    'This turn said more than is held for readers who come late or read slowly. It goes on; read the thread when it has ended.',
  )
}
