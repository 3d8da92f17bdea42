// Queries whose answers are taken piece by piece. Each is worked out when it starts; what is written after that it does not see.
import { randomUUID } from 'node:crypto'
import type { Match } from './ranking.ts'
import { type Shown, shown } from './row.ts'
import { VectorError } from './vector-error.ts'

interface Started {
  readonly matches: readonly Match[]
  readonly include: Shown
  readonly maxIdleMs: number
  taken: number
  usedAt: number
}

export class ResumableQueries {
  #started = new Map<string, Started>()
  #clock: () => number

  constructor(clock: () => number) {
    this.#clock = clock
  }

  start(query: Pick<Started, 'matches' | 'include' | 'maxIdleMs'>, count: number) {
    this.#forgetIdle()
    const uuid = randomUUID()
    this.#started.set(uuid, { ...query, taken: 0, usedAt: this.#clock() })
    return { uuid, scores: this.next(uuid, count) }
  }

  /** The next `count`, fewer where there are no more. */
  next(uuid: string, count: number) {
    const started = this.#of(uuid)
    const from = started.taken
    started.taken += count
    started.usedAt = this.#clock()
    return started.matches.slice(from, started.taken).map(({ row, score }) => shown(row, started.include, score))
  }

  end(uuid: string): void {
    this.#of(uuid)
    this.#started.delete(uuid)
  }

  #of(uuid: string): Started {
    this.#forgetIdle()
    const started = this.#started.get(uuid)
    if (started === undefined) throw new VectorError(404, `Resumable query ${uuid} does not exist`)
    return started
  }

  #forgetIdle(): void {
    const now = this.#clock()
    for (const [uuid, { usedAt, maxIdleMs }] of this.#started) if (now - usedAt > maxIdleMs) this.#started.delete(uuid)
  }
}
