// Following a run that works elsewhere: what it has told so far, what it tells, and its end. A reader that finds it left behind
// goes on with it.
import type { Position } from '../graph/checkpoint.ts'
import { stateView } from '../graph/plan.ts'
import { asRecollectError, RecollectError } from '../kernel/errors.ts'
import type { CacheKey } from '../ports/cache.ts'
import type { EventPart } from '../ports/event-log.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { positionAt, positionsAlong } from './chain.ts'
import { answerOf, endOf } from './ended-run.ts'
import { eventStream } from './event-stream.ts'
import { eventOf, type KeptEvent } from './event-text.ts'
import { isLast, movesOn, type RunEvent } from './events.ts'
import type { ThreadAddress } from './history.ts'
import type { House } from './house.ts'
import { unknownRun } from './refusal.ts'
import { savedAgain } from './saved-again.ts'
import { takeTurn } from './turn.ts'
import { unattended } from './turn-request.ts'

export interface FollowOptions {
  /** Aborts when nobody reads any more. */
  readonly left?: AbortSignal
  /** Aborts when this worker has to go. */
  readonly handOver?: AbortSignal
  /** What the reader knows: all that this claim told, and the states up to this superstep. Nothing unless given. */
  readonly known?: { readonly epoch: number; readonly step: number }
}

/** At first: whoever comes often does so because something has just happened. */
const firstMs = 50
/** After what was told: the log is written every 500 ms. */
const shortestMs = 400
const longestMs = 3_000

/** Ends with the run's last event. Throws `run_unknown`, of an unknown thread too. */
export async function* followRun(
  house: House,
  address: ThreadAddress,
  run: string,
  options: FollowOptions,
): AsyncGenerator<RunEvent, void> {
  const follower = new Follower(house, address, run, options)
  for (let pauseMs = firstMs; options.left?.aborted !== true; pauseMs = Math.min(pauseMs * 1.3, longestMs)) {
    // Asked before the log is read: what ended it was told before it ended.
    const record = await follower.record()
    for await (const event of follower.told()) {
      yield event
      if (isLast(event)) return
      pauseMs = shortestMs
    }
    if (record.status !== 'queued' && record.status !== 'running') {
      yield await follower.endOf(record)
      return
    }
    if (!record.orphaned) await pause(pauseMs, options.left)
    else {
      for await (const event of follower.adopt()) {
        yield event
        if (isLast(event)) return
      }
    }
  }
}

/** What the events of a run come to. Throws what it failed with. */
export async function endOfRun(events: AsyncIterable<RunEvent>, run: string) {
  for await (const event of events) {
    if (event.type === 'run-failed') throw event.error
    if (event.type === 'run-finished') return { ...event, status: 'success', interrupts: [] } as const
    if (event.type === 'run-interrupted') return { ...event, status: 'interrupted' } as const
  }
  throw new RecollectError('run_queued', `Run "${run}" goes on without its reader.`)
}

class Follower {
  readonly #house: House
  readonly #address: ThreadAddress
  readonly #run: string
  readonly #options: FollowOptions
  #key: CacheKey | undefined
  /** The last part of the log that was read. */
  #known: Omit<EventPart, 'text'> | undefined
  /** Whether the claim that the log is of works on this run. */
  #ours = false
  /** The last superstep that was told; -1: not even the input. */
  #step: number

  constructor(house: House, address: ThreadAddress, run: string, options: FollowOptions) {
    this.#house = house
    this.#address = address
    this.#run = run
    this.#options = options
    this.#step = options.known?.step ?? -1
    if (options.known !== undefined) this.#known = wholeClaim(options.known.epoch)
  }

  async record(): Promise<RunRecord> {
    const { tenant, thread, user: owner } = this.#address
    const record = await this.#house.checkpointer.runs.get({ tenant, thread, owner }, this.#run)
    if (record === undefined) throw unknownRun(thread, this.#run)
    return record
  }

  /** What the log has that was not told yet. A log that is away or has forgotten has nothing. */
  async *told(): AsyncGenerator<RunEvent> {
    const { events } = this.#house
    if (events === undefined) return
    const parts = await events.read(await this.#logKey(), this.#known).catch(() => [])
    for (const { epoch, index, text } of parts) {
      const { epoch: knownEpoch, index: knownIndex } = this.#known ?? { epoch: -1, index: -1 }
      if (epoch < knownEpoch || (epoch === knownEpoch && index <= knownIndex)) continue
      this.#known = { epoch, index }
      for (const line of text.split('\n')) {
        const event = eventOf(line)
        if (event?.type === 'run-started') this.#ours = event.run === this.#run
        if (event !== undefined && this.#ours) yield* this.#revived(event)
      }
    }
  }

  /** Goes on with the thread's run that is due; if it is ours, it is told. Its failure is an event, or another's to see. */
  async *adopt(): AsyncGenerator<RunEvent> {
    const { tenant, thread } = this.#address
    const { left, handOver } = this.#options
    const request = { ...unattended, tenant, thread, user: null, run: undefined, watching: this.#run, handOver, left }
    const working = eventStream(async (emit) => {
      const result = await takeTurn(this.#house, { ...request, emit })
      await result?.afterwards()
    })
    try {
      for await (const event of working) {
        // Its log is not read: it would say the same again.
        if (event.type === 'run-started') this.#known = wholeClaim(event.epoch)
        if (event.type === 'run-started') yield* this.#begun(event)
        else if (event.type === 'run-failed' && isProvisional(event.error)) return
        else yield event
      }
    } catch {
      // What it failed with is in the run's record by now, or it is due again.
    }
  }

  /** The event that a run ended with, as its record has it. */
  async endOf(record: RunRecord): Promise<RunEvent> {
    const { tenant, thread } = this.#address
    try {
      return endOf(this.#house.graph, await answerOf(this.#house.checkpointer, { tenant, thread }, record))
    } catch (error) {
      const failure = asRecollectError(error, 'run_failed', 'The run failed.')
      return { type: 'run-failed', run: this.#run, error: stopped(record) ?? failure }
    }
  }

  async *#revived(event: KeptEvent): AsyncGenerator<RunEvent> {
    switch (event.type) {
      case 'run-started':
        yield* this.#begun(event)
        break
      case 'run-failed':
        if (!isProvisional(event.error)) yield event
        break
      case 'run-interrupted':
        // It may have been answered since; its record says whether it waits.
        break
      case 'checkpoint-saved':
      case 'run-finished': {
        if (event.type === 'checkpoint-saved') this.#step = event.step
        const chain = await this.#chain(event.seq, 1)
        yield { ...event, values: this.#view(positionAt(chain)) }
        break
      }
      default:
        yield event
    }
  }

  /** A claim has begun. What was committed before it, and was not told here, is told from the checkpoints. */
  async *#begun(event: Extract<RunEvent, { type: 'run-started' }>): AsyncGenerator<RunEvent> {
    yield event
    if (event.step <= this.#step) return
    const count = event.step - this.#step + 2
    const along = positionsAlong(await this.#chain(event.seq, count), count)
    for (const [index, { frame, position }] of along.entries()) {
      if (frame.run !== this.#run || frame.step <= this.#step) continue
      yield savedAgain(this.#house.graph, along[index - 1]?.position, position, frame)
    }
    this.#step = event.step
  }

  #view(position: Position): Readonly<Record<string, unknown>> {
    return stateView(this.#house.graph, position.values)
  }

  async #chain(seq: number, count: number) {
    const { tenant, thread } = this.#address
    const chain = await this.#house.checkpointer.loadChain({ tenant, thread, owner: null, seq, count })
    return chain?.frames ?? []
  }

  /** It is kept under the owner, whom an operator's token does not name. */
  async #logKey(): Promise<CacheKey> {
    const { tenant, thread, user } = this.#address
    const owner = user ?? (await this.#house.checkpointer.threads.get({ tenant, thread, owner: null }))?.owner ?? ''
    this.#key ??= { tenant, thread, owner }
    return this.#key
  }
}

/** Another worker goes on with the run; or Postgres was silent, and only the run's record knows whether one does (T7, T8). */
function isProvisional(error: RecollectError): boolean {
  return movesOn(error) || error.code === 'storage_unavailable'
}

function wholeClaim(epoch: number): Omit<EventPart, 'text'> {
  return { epoch, index: Number.MAX_SAFE_INTEGER }
}

function stopped({ status }: RunRecord): RecollectError | undefined {
  if (status === 'cancelled') return new RecollectError('run_cancelled', 'The run was stopped.')
  if (status === 'interrupted') return new RecollectError('run_cancelled', 'A later run took its place.')
  return undefined
}

function pause(ms: number, left: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      left?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    left?.addEventListener('abort', done)
  })
}
