// One case's world: a thread of its own in shared storage, the workers on it, what is planned to go wrong, and what was done outside.
import type { CompileOptions } from '../src/index.ts'
import type { Cache, Checkpointer, EventLog, Model } from '../src/ports/index.ts'
import type { Problem } from './checker.ts'
import { hidden, type Mode, pause } from './mode.ts'
import type { Call, Delivered, Program, Shop } from './program.ts'
import { buried, Worker } from './worker.ts'

/** Where threads and their cache are kept. Many worlds share one. */
export interface Storage {
  readonly checkpointer: Checkpointer
  readonly cache: Cache
  readonly events: EventLog
  /** Makes messages in the outbox of a tenant due that would be due within a minute. */
  hasten(tenant: string): Promise<void>
}

export interface WorldOptions {
  readonly storage: Storage
  readonly program: Program
  readonly options?: Pick<CompileOptions, 'keepCheckpoints'>
  readonly tenant: string
  readonly cached: boolean
  /** Whether what runs tell is kept for readers of other workers. */
  readonly recorded: boolean
  /** How long a silent worker keeps its thread. */
  readonly leaseMs: number
  /** What goes wrong at the `count`th call (from 1) of `point`, if anything. */
  readonly fault: (point: string, count: number) => Mode | undefined
}

const tickMs = 50

export class World {
  readonly program: Program
  readonly options: Pick<CompileOptions, 'keepCheckpoints'>
  readonly storage: Storage
  readonly checkpointer: Checkpointer
  readonly cache: Cache | undefined
  readonly events: EventLog | undefined
  readonly model: Model
  readonly shop: Shop
  readonly leaseMs: number
  readonly tenant: string
  /** The graph's name. */
  readonly graph: string
  /** Every call so far, as `who:port.method@count`. */
  readonly trace: string[] = []
  /** Those that met a fault. */
  readonly met: string[] = []
  readonly calls: Call[] = []
  readonly delivered: Delivered[] = []
  /** What a play has seen that must not be. */
  readonly noted: Problem[] = []
  /** Whether something went wrong that keeps a worker from going on. */
  down = false
  /** The longest that this process, or storage, stood still. */
  longestStandMs = 0
  /** What the shop waits for before it charges. */
  hold: (call: Call) => Promise<unknown> = async () => {}
  readonly #fault: WorldOptions['fault']
  readonly #counts = new Map<string, number>()
  readonly #workers: Worker[] = []
  readonly #landing: Promise<unknown>[] = []
  readonly #graves: (() => void)[] = []
  readonly #ticking: NodeJS.Timeout
  #later: (() => Promise<unknown>)[] = []
  #attempts = 0
  #over = false

  constructor({ storage, program, options = {}, tenant, cached, recorded, leaseMs, fault }: WorldOptions) {
    this.program = program
    this.options = options
    this.storage = storage
    this.tenant = tenant
    this.leaseMs = leaseMs
    this.#fault = fault
    this.checkpointer = storage.checkpointer
    this.cache = cached ? storage.cache : undefined
    this.events = recorded ? storage.events : undefined
    let tickedAt = performance.now()
    this.#ticking = setInterval(() => {
      tickedAt = this.#stood(tickedAt)
    }, tickMs).unref()
    // Of its own: a sweep finds runs and messages of its graphs, and those of another case are none of its business.
    this.graph = `${program.name}-${tenant}`
    this.model = program.model(this.attempt)
    this.shop = {
      charge: async (call) => {
        await this.hold(call)
        this.calls.push(call)
      },
      deliver: async (message) => {
        this.delivered.push(message)
      },
    }
  }

  /** A number that no other attempt of a node gets, so that no two say the same. */
  readonly attempt = (): number => ++this.#attempts

  worker(label: string): Worker {
    const worker = new Worker(this, label)
    this.#workers.push(worker)
    return worker
  }

  meet(label: string, name: string): Mode | undefined {
    const point = `${label}:${name}`
    const count = (this.#counts.get(point) ?? 0) + 1
    this.#counts.set(point, count)
    this.trace.push(`${point}@${count}`)
    const mode = this.#fault(point, count)
    if (mode !== undefined) this.met.push(`${point}@${count} ${mode}`)
    if (mode !== undefined && !hidden(mode)) this.down = true
    return mode
  }

  /** A call of storage. */
  async timed<Result>(call: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now()
    try {
      return await call()
    } finally {
      this.#stood(startedAt)
    }
  }

  #stood(sinceMs: number): number {
    const now = performance.now()
    this.longestStandMs = Math.max(this.longestStandMs, now - sinceMs)
    return now
  }

  /** Does it after a while, whatever comes of it. */
  land(ms: number, call: () => Promise<unknown>): void {
    this.#landing.push(
      pause(ms)
        .then(call)
        .catch(() => {}),
    )
  }

  landLater(call: () => Promise<unknown>): void {
    this.#later.push(call)
  }

  /** Until everything that is late has landed, and living workers have done what they do after their answers. */
  async settle(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.rest()))
    await Promise.all(this.#landing)
  }

  async landRest(): Promise<void> {
    const later = this.#later
    this.#later = []
    for (const call of later) await call().catch(() => {})
  }

  /** What a dead worker waits for. */
  never(): Promise<never> {
    if (this.#over) return Promise.reject(buried())
    return new Promise((_, reject) => {
      this.#graves.push(() => reject(buried()))
    })
  }

  /** Lets go of what the dead hold: their timers end. Nothing of them is done even now. */
  bury(): void {
    this.#over = true
    clearInterval(this.#ticking)
    for (const release of this.#graves.splice(0)) release()
  }
}
