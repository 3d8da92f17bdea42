// A model behind OpenAI's protocol that answers `ask:q7` with `reply:q7#n`, n being a number that no other answer gets.
import { type StandIn, standIn } from '../local/stand-in.ts'
import { pause } from './mode.ts'
import type { Random } from './random.ts'

interface Said {
  readonly role: string
  readonly content?: string | null
}

const chunks = 4

/** Of every third request it looks an order up first. An answer takes up to `longestMs`. */
export function numberedModel(random: Random, longestMs: number): Promise<StandIn> {
  let answers = 0
  return standIn({
    name: 'model',
    handle: async ({ body }) => {
      const { messages }: { messages: Said[] } = JSON.parse(body.toString())
      const request = messages.findLast(({ role }) => role === 'user')?.content?.replace(/^ask:/, '') ?? ''
      answers++
      const delta =
        looksUp(request) && messages.at(-1)?.role !== 'tool'
          ? { tool_calls: [callOf(request, answers)] }
          : { content: `reply:${request}#${answers}` }
      const body_ = stream(delta, random.int(longestMs))
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: body_ }
    },
  })
}

export function looksUp(request: string): boolean {
  return Number(request.slice(1)) % 3 === 0
}

function callOf(order: string, number: number) {
  const called = { name: 'lookup_order', arguments: JSON.stringify({ order }) }
  return { index: 0, id: `call-${number}`, type: 'function', function: called }
}

async function* stream(delta: { content?: string; tool_calls?: object[] }, overMs: number): AsyncGenerator<string> {
  const event = (part: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ model: 'numbered', choices: [{ index: 0, delta: part, finish_reason }] })}\n\n`
  const { content } = delta
  const size = Math.ceil((content?.length ?? 0) / chunks)
  const pieces = content === undefined ? [delta] : piecesOf(content, size).map((piece) => ({ content: piece }))
  for (const piece of pieces) {
    await pause(overMs / pieces.length)
    yield event(piece)
  }
  yield event({}, content === undefined ? 'tool_calls' : 'stop')
  yield 'data: [DONE]\n\n'
}

function piecesOf(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  )
}
