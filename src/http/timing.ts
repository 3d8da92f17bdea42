// What a request cost before its first byte, as the `Server-Timing` header says it.

/** In a Worker the clock moves with I/O only, which is what is measured here. */
export class Timing {
  readonly #startedAt = performance.now()
  readonly #spans = new Map<string, number>()

  /** Adds how long `work` takes to the span of this name, whether it succeeds or not. */
  async measure<Value>(span: string, work: Promise<Value>): Promise<Value> {
    const startedAt = performance.now()
    try {
      return await work
    } finally {
      this.add(span, performance.now() - startedAt)
    }
  }

  add(span: string, ms: number): void {
    this.#spans.set(span, (this.#spans.get(span) ?? 0) + ms)
  }

  /** `storage;dur=3.1, total;dur=4.0` */
  toString(): string {
    const spans = [...this.#spans, ['total', performance.now() - this.#startedAt] as const]
    return spans.map(([span, ms]) => `${span};dur=${ms.toFixed(1)}`).join(', ')
  }
}
