// Conversations with a Worker over HTTP: each waits for the answer to its message before it sends the next.
import { randomUUID } from 'node:crypto'

export interface Load {
  readonly base: string
  readonly token: string
  /** Conversations at once. */
  readonly threads: number
  readonly warmUpMs: number
  readonly measuredMs: number
}

export interface LoadResult {
  /** Of the turns that ended while it was measured. */
  readonly turnMs: number[]
  readonly firstTokenMs: number[]
  readonly failures: string[]
  readonly measuredMs: number
}

/** Then a new thread: so a message is as far into its thread on average, however many threads there are. */
const turnsPerThread = 10

export async function converse(load: Load, onMeasuring: () => void): Promise<LoadResult> {
  const result: LoadResult = { turnMs: [], firstTokenMs: [], failures: [], measuredMs: load.measuredMs }
  const beginsAt = performance.now() + load.warmUpMs
  const endsAt = beginsAt + load.measuredMs
  const measuring = setTimeout(onMeasuring, load.warmUpMs)
  const conversation = async () => {
    while (performance.now() < endsAt) {
      const thread = randomUUID()
      for (let turn = 1; turn <= turnsPerThread && performance.now() < endsAt; turn++) {
        const { turnMs, firstTokenMs, failure } = await say(load, thread, `Hello, for the ${turn}. time.`)
        const endedAt = performance.now()
        if (endedAt < beginsAt || endedAt > endsAt) continue
        if (failure !== undefined) result.failures.push(failure)
        else {
          result.turnMs.push(turnMs)
          result.firstTokenMs.push(firstTokenMs)
        }
      }
    }
  }
  await Promise.all(Array.from({ length: load.threads }, conversation))
  clearTimeout(measuring)
  return result
}

async function say({ base, token }: Load, thread: string, text: string) {
  const startedAt = performance.now()
  const since = () => performance.now() - startedAt
  const message = { id: randomUUID(), role: 'user', parts: [{ type: 'text', text }] }
  try {
    const response = await fetch(`${base}/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: thread, messages: [message] }),
    })
    let firstTokenMs: number | undefined
    let answer = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      answer += decoder.decode(chunk, { stream: true })
      if (firstTokenMs === undefined && answer.includes('"type":"text-delta"')) firstTokenMs = since()
    }
    if (firstTokenMs === undefined || !answer.includes('"type":"finish"'))
      return { turnMs: 0, firstTokenMs: 0, failure: `${response.status} ${answer}` }
    return { turnMs: since(), firstTokenMs, failure: undefined }
  } catch (error) {
    return { turnMs: 0, firstTokenMs: 0, failure: String(error) }
  }
}
