// One worker: a compiled graph whose every call of a port may go wrong, and which may die. What is left of a dead one does nothing.
import { asRecollectError, type CompiledGraph, RecollectError, sweep } from '../src/index.ts'
import type { Cache, Checkpointer, EventLog } from '../src/ports/index.ts'
import { broken, lasts, type Mode, pause } from './mode.ts'
import { topic } from './program.ts'
import { type Io, through } from './seam.ts'
import type { World } from './world.ts'

/** Long enough for somebody else to take over and be done. */
const stallLeases = 2

export type Outcome<Value> = { readonly value: Value } | { readonly error: RecollectError } | 'gone'

export class Worker {
  readonly world: World
  readonly app: CompiledGraph
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly events: EventLog | undefined
  readonly #label: string
  readonly #gone = Promise.withResolvers<'gone'>()
  readonly #lasting = new Map<string, Mode>()
  readonly #deferred: Promise<unknown>[] = []
  #dead = false
  #awake: Promise<unknown> | undefined

  /** `label`: for whom it works. Points are named by it. */
  constructor(world: World, label: string) {
    this.world = world
    this.#label = label
    const { cache, events, leaseMs, program, options } = world
    this.checkpointer = through(world.checkpointer, 'postgres', this.#io)
    this.cache = cache && through(cache, 'redis', this.#io)
    this.events = events && through(events, 'log', this.#io)
    const shop = through(world.shop, 'shop', this.#io)
    this.app = program.graph({ shop, attempt: world.attempt }).compile({
      ...{
        ...options,
        checkpointer: this.checkpointer,
        model: through(world.model, 'model', this.#io),
        name: world.graph,
      },
      ...{ leaseMs, deliver: { [topic]: ({ id, payload }) => shop.deliver({ id, of: String(payload) }) } },
      ...(this.cache && { cache: this.cache }),
      ...(this.events && { events: this.events }),
    })
  }

  /** As the cron does. */
  sweep(): Promise<unknown> {
    const { checkpointer, cache, events } = this
    return sweep({ checkpointer, cache, events, graphs: { [this.world.graph]: this.app } })
  }

  readonly #io: Io = (name, call) => {
    if (this.#dead) return this.world.never()
    const mode = this.#lasting.get(name) ?? this.world.meet(this.#label, name)
    const timed = name.startsWith('postgres.') ? () => this.world.timed(call) : call
    if (mode === undefined) return this.settling(this.#awake === undefined ? timed() : this.#awake.then(timed))
    if (lasts(mode)) this.#lasting.set(name, mode)
    return broken(mode, { name, call: timed, worker: this })
  }

  /** What it waits for never comes when it has died meanwhile. */
  settling<Result>(answer: Promise<Result>): Promise<Result> {
    return answer.then(
      (value) => (this.#dead ? this.world.never() : value),
      (error: unknown) => {
        if (this.#dead) return this.world.never()
        throw error
      },
    )
  }

  /** From now on nothing that it asks leaves it, its renewals neither, until its lease has long run out. */
  stall(): void {
    this.#awake = pause(this.world.leaseMs * stallLeases).then(() => {
      this.#awake = undefined
    })
  }

  async awake(): Promise<void> {
    await this.#awake
  }

  die(): void {
    this.#dead = true
    this.#gone.resolve('gone')
  }

  /** Work of this worker, to its end or the worker's. */
  async attempt<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
    const end = work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: asRecollectError(error, 'internal', `It threw what is not ours: ${error}`) }),
    )
    return Promise.race([end, this.#gone.promise])
  }

  /** Takes work for after the answer. */
  readonly defer = (work: Promise<unknown>): void => {
    this.#deferred.push(work)
  }

  /** Until its work for after the answer is done, or it is gone. */
  async rest(): Promise<void> {
    await this.attempt(() => Promise.allSettled(this.#deferred))
  }
}

export function buried(): RecollectError {
  return new RecollectError('internal', 'This worker was gone, and its case is over.')
}
