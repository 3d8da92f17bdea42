// Work for after the answer.

/** When whoever waits for the answer has it: this work begins with encoding, which would keep them waiting. */
export async function later(work: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve))
  await work()
}
