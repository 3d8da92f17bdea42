// Counts the statements in what a Postgres client sends, from the bytes alone.

/** `Q`, a simple query, and `E`, the execution of an extended one: what Postgres is asked to run. */
const statements = new Set([0x51, 0x45])
/** Asks for encryption; the message after it is again one without a type. */
const encryptionRequests = new Set([80_877_103, 80_877_104])

/** For one connection, from its first byte on. Give it the chunks as they come, however they are cut. */
export function statementCounter(): (chunk: Uint8Array) => number {
  let started = false
  /** What has come of the next message's head: its type, unless it is the first, and its length. */
  let head: number[] = []
  let bodyLeft = 0

  function take(byte: number): number {
    head.push(byte)
    if (head.length < (started ? 5 : 8)) return 0
    const view = new DataView(Uint8Array.from(head).buffer)
    const type = head[0] ?? 0
    head = []
    if (started) {
      bodyLeft = view.getUint32(1) - 4
      return statements.has(type) ? 1 : 0
    }
    bodyLeft = view.getUint32(0) - 8
    started = !encryptionRequests.has(view.getUint32(4))
    return 0
  }

  return (chunk) => {
    let count = 0
    for (let at = 0; at < chunk.length; ) {
      if (bodyLeft > 0) {
        const skipped = Math.min(bodyLeft, chunk.length - at)
        bodyLeft -= skipped
        at += skipped
      } else {
        count += take(chunk[at] ?? 0)
        at++
      }
    }
    return count
  }
}
