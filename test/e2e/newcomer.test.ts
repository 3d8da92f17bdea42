// What a newcomer does: starts the stack, talks, kills it in mid-answer, starts it again, and finds every answered turn.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { framesOf } from '../http/deployment.ts'
import { until } from '../until.ts'
import { type LocalStack, startStack, tokenFrom } from './local-stack.ts'

interface Values {
  messages: { type: string; content: string }[]
}

const leaseMs = 60_000
const sweepEveryMs = 10_000

let data: string
let stack: LocalStack

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'recollect-newcomer-'))
  stack = await startStack(data)
})

afterAll(async () => {
  await stack?.kill().catch(() => {})
  await rm(data, { recursive: true, force: true })
})

describe('npm run dev', { timeout: 180_000 }, () => {
  it('is ready within 20 s on the first run', () => {
    expect(stack.seconds).toBeLessThan(20)
  })

  it('prints a curl that works', async () => {
    const [, path = '', body = ''] = /curl -s http:\/\/[^/]+(\S+) .*?-d '(.*)'/s.exec(stack.output) ?? []
    const response = await stack.post(path, JSON.parse(body))
    expect(response.status).toBe(200)
    expect(lastOf(await response.json())).toContain('scripted')
  })

  it('remembers what was said before', async () => {
    await say('memory', 'my name is Ada')
    expect(lastOf(await say('memory', 'what is my name?'))).toContain('Ada')
  })

  it('finds every answered turn after a SIGKILL in mid-answer, finishes the one that was cut off, and tells it to who comes back', async () => {
    await say('crash', 'my name is Grace')
    const cutOff = await watch('crash', `slow 20000 ${'and steady '.repeat(40)}wins`)
    await cutOff.heard('and steady and steady and steady')
    await stack.kill()
    const seen = framesOf(await cutOff.text)
    expect(seen.length).toBeGreaterThan(1)

    stack = await startStack(data)
    const again = stack.get(`${cutOff.location}`, undefined, { 'last-event-id': seen.at(-1)?.id ?? '' })
    const before = await messagesOf('crash')
    expect(before.map(({ content }) => content)).toContain('my name is Grace')
    // The question was kept with what was recalled for it.
    expect(before.map(({ type }) => type)).toEqual(['human', 'ai', 'human'])

    // Its lease runs out, then the cron takes it over: nobody asks.
    const finished = await eventually(leaseMs + 3 * sweepEveryMs + 25_000, async () => {
      const messages = await messagesOf('crash')
      return messages.length === 4 ? messages : undefined
    })
    expect(finished.map(({ type }) => type)).toEqual(['human', 'ai', 'human', 'ai'])
    const frames = framesOf(await (await again).text())
    expect(frames.map(({ id }) => id)).toEqual([...new Set(frames.map(({ id }) => id))])
    expect(frames.filter(({ id }) => seen.some((frame) => frame.id === id))).toEqual([])
    expect(JSON.stringify(frames.at(-1)?.data)).toContain('and steady wins')
    expect(lastOf(await say('crash', 'what is my name?'))).toContain('Grace')
  })

  it('is ready within 6 s on later runs', () => {
    expect(stack.seconds).toBeLessThan(6)
  })

  it('shows nobody the threads of another', async () => {
    const stranger = await tokenFrom(data, 'local', 'stranger')
    const foreign = await stack.get('/threads/memory/state', stranger)
    const unknown = await stack.get('/threads/nothing-here/state', stranger)
    expect(foreign.status).toBe(404)
    expect(unknown.status).toBe(404)
  })

  it('says what to do when its port is taken', async () => {
    const port = new URL(stack.base).port
    const other = await mkdtemp(join(tmpdir(), 'recollect-other-'))
    const refused = await startStack(other, ['--port', port]).catch((error: Error) => error.message)
    await rm(other, { recursive: true, force: true })
    expect(refused).toContain(`Port ${port} is taken`)
  })

  it('says what to do when its data is in use', async () => {
    const refused = await startStack(data).catch((error: Error) => error.message)
    expect(refused).toContain('--data')
  })

  it('stops everything on Ctrl-C', async () => {
    await stack.stop()
    // The lock goes last: everything before it was closed in order.
    expect((await readdir(data)).filter((name) => name.startsWith('lock'))).toEqual([])
  })
})

async function say(thread: string, content: string): Promise<Values> {
  const response = await stack.post(`/threads/${thread}/runs/wait`, {
    assistant_id: 'support',
    if_not_exists: 'create',
    input: { messages: [{ role: 'user', content }] },
  })
  return response.json()
}

interface Watched {
  readonly location: string
  readonly text: Promise<string>
  /** Resolves once the model has said these words. */
  heard(words: string): Promise<unknown>
}

/** A turn that is read as long as it goes, and where to come back to. */
async function watch(thread: string, content: string): Promise<Watched> {
  const response = await stack.post(`/threads/${thread}/runs/stream`, {
    ...{ assistant_id: 'support', stream_resumable: true, stream_mode: ['messages-tuple', 'values'] },
    input: { messages: [{ role: 'user', content }] },
  })
  const decoder = new TextDecoder()
  let text = ''
  const readUntilCut = async () => {
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
    } catch {
      // The connection is gone.
    }
    return text
  }
  // What was heard of the model comes in pieces, each in a frame of its own.
  const said = () =>
    framesOf(text.slice(0, text.lastIndexOf('\n\n') + 2))
      .filter(({ event }) => event === 'messages')
      .map(({ data }) => (data as [{ content: string }, unknown])[0].content)
      .join('')
  return {
    location: response.headers.get('location') ?? '',
    text: readUntilCut(),
    heard: (words) => until(() => expect(said()).toContain(words), 60_000),
  }
}

async function messagesOf(thread: string): Promise<Values['messages']> {
  const state: { values: Values } = await (await stack.get(`/threads/${thread}/state`)).json()
  return state.values.messages
}

function lastOf({ messages }: Values): string {
  return messages.at(-1)?.content ?? ''
}

async function eventually<Result>(withinMs: number, look: () => Promise<Result | undefined>): Promise<Result> {
  const until = Date.now() + withinMs
  while (Date.now() < until) {
    const result = await look()
    if (result !== undefined) return result
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  throw new Error(`It did not come about within ${withinMs} ms.`)
}
