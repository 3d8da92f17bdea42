// A body that is written as its parts come, with a sign of life wherever they are long in coming.

/** Clients and proxies close what is silent; the LangGraph client takes its patience from this rhythm. */
const silenceMs = 5_000

export interface PacedBody {
  /** Sent after every {@link silenceMs} of silence; what its reader skips. */
  readonly keepAlive: string
  /** The reader has left. What makes the parts goes on unless this stops it. */
  readonly left?: () => void
}

/** Pulls a part when the reader has taken the last one; the first silence is counted from the beginning. */
export function pacedBody(parts: AsyncIterator<string>, { keepAlive, left }: PacedBody): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let coming: Promise<IteratorResult<string>> | undefined
  return new ReadableStream({
    async pull(controller) {
      coming ??= parts.next()
      const part = await orSilence(coming)
      if (part === undefined) {
        controller.enqueue(encoder.encode(keepAlive))
        return
      }
      coming = undefined
      if (part.done) controller.close()
      else controller.enqueue(encoder.encode(part.value))
    },
    cancel() {
      left?.()
    },
  })
}

function orSilence<Value>(coming: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), silenceMs)
    coming.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
