// Writes what a run tells to the event log, for readers who come back to another worker: only when there may be one, in few
// writes, and no more than is held of a run anyway.
import type { CacheKey } from '../ports/cache.ts'
import type { EventLog } from '../ports/event-log.ts'
import { eventText } from './event-text.ts'
import { heldBytes, weightOf } from './event-weight.ts'
import { isLast, type RunEvent } from './events.ts'

const pauseMs = 500
/** Upstash takes requests of 1 MB on old plans. */
const partBytes = 256 * 1024
const tries = 3

export interface RecorderOptions {
  readonly log: EventLog
  readonly key: CacheKey
  readonly epoch: number
  /** Aborts when nobody reads any more: then it begins, with all that was told before. */
  readonly left: AbortSignal | undefined
  /** True: it begins at once. */
  readonly now: boolean
}

export class Recorder {
  readonly #options: RecorderOptions
  #held: RunEvent[] = []
  #bytes = 0
  #parts = 0
  #begun: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> = Promise.resolve()
  /** Too much was told, a later claim has begun, or the log is away: nothing more is written. */
  #over = false

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#begun = options.now || options.left?.aborted === true
    options.left?.addEventListener('abort', this.#begin)
  }

  push(event: RunEvent): void {
    if (this.#over) return
    this.#held.push(event)
    this.#bytes += weightOf(event)
    if (this.#bytes > heldBytes) this.#giveUp()
    else if (isLast(event)) this.#flush()
    else this.#wait()
  }

  /** When all that was told is written, or given up. */
  async end(): Promise<void> {
    this.#options.left?.removeEventListener('abort', this.#begin)
    this.#flush()
    await this.#writing
  }

  readonly #begin = () => {
    this.#begun = true
    this.#wait()
  }

  #wait(): void {
    if (this.#begun && !this.#over) this.#timer ??= setTimeout(() => this.#flush(), pauseMs)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#begun || this.#over || this.#held.length === 0) return
    const events = this.#held
    this.#held = []
    this.#writing = this.#writing.then(() => this.#write(events)).catch(() => this.#giveUp())
  }

  async #write(events: readonly RunEvent[]): Promise<void> {
    let lines: string[] = []
    let length = 0
    for (const event of events) {
      const line = eventText(event)
      if (length > 0 && length + line.length > partBytes) {
        await this.#append(lines)
        lines = []
        length = 0
      }
      lines.push(line)
      length += line.length
    }
    await this.#append(lines)
  }

  /** A line an event: no text of one holds a line end. */
  async #append(lines: readonly string[]): Promise<void> {
    if (this.#over) return
    const { log, key, epoch } = this.#options
    const part = { epoch, index: this.#parts, text: lines.join('\n') }
    for (let attempt = 1; ; attempt++) {
      try {
        if (!(await log.append(key, part))) this.#giveUp()
        this.#parts++
        return
      } catch (error) {
        if (attempt === tries) throw error
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  #giveUp(): void {
    this.#over = true
    this.#held = []
  }
}
