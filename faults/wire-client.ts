// A client over HTTP: asks until it is answered, with the same Idempotency-Key, whatever becomes of the connection.
import type { Told } from './checker.ts'
import { pause } from './mode.ts'

export interface WireRequest {
  /** Also its idempotency key. */
  readonly name: string
  readonly thread: string
  /** False: it does not come back when the connection breaks. */
  readonly returns: boolean
  /** How long it waits before it comes back after a broken connection. */
  readonly backAfterMs: () => number
}

export interface Wire {
  readonly base: string
  readonly token: string
  readonly assistant: string
  /** Lines of a state as it is on the wire. */
  readonly lines: (values: unknown) => string[]
  readonly patienceMs: number
}

const shortPauseMs = 500

export async function insistOnWire(wire: Wire, request: WireRequest): Promise<Told> {
  const { name, returns } = request
  const askedAt = performance.now()
  const told = (outcome: Told['outcome'], more: Partial<Told> = {}): Told => {
    return {
      request: name,
      outcome,
      lines: [],
      stays: returns,
      streams: [],
      askedAt,
      answeredAt: performance.now(),
      ...more,
    }
  }
  while (performance.now() - askedAt < wire.patienceMs) {
    const answer = await send(wire, request)
    if (answer === 'cut') {
      if (!returns) return told('unknown')
      await pause(request.backAfterMs())
    } else if ('values' in answer) {
      return told('accepted', { lines: wire.lines(answer.values) })
    } else {
      if (!answer.retryable) return told('ended', { code: answer.code })
      await pause(shortPauseMs)
    }
  }
  return told('unknown')
}

type Answer = 'cut' | { readonly values: unknown } | { readonly code: string; readonly retryable: boolean }

async function send({ base, token, assistant }: Wire, { name, thread }: WireRequest): Promise<Answer> {
  try {
    const response = await fetch(`${base}/threads/${thread}/runs/wait`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': name },
      body: JSON.stringify({
        assistant_id: assistant,
        if_not_exists: 'create',
        multitask_strategy: 'enqueue',
        input: { messages: [{ role: 'user', content: `ask:${name}` }] },
      }),
    })
    const body: unknown = JSON.parse(await response.text())
    return answerOf(response.status, body)
  } catch {
    // Refused, reset, or an answer that is not whole.
    return 'cut'
  }
}

function answerOf(status: number, body: unknown): Answer {
  const { __error__: error, code } = body as { __error__?: { error?: string }; code?: string }
  if (status === 200 && error === undefined) return { values: body }
  const reason = error?.error ?? code ?? `status ${status}`
  return { code: reason, retryable: status === 503 || passing.has(reason) }
}

const passing = new Set(['storage_unavailable', 'thread_busy', 'run_queued', 'run_fenced', 'run_handed_over'])
