// Trimming is a view: it fits, it begins where a turn does, and it never parts a call from what it gave.
import { describe, expect, test } from 'vitest'
import { conversationOf } from '../../src/adapters/openai/conversation.ts'
import { bytesIn, estimateBy } from '../../src/agent/token-count.ts'
import { startsTurn } from '../../src/agent/window.ts'
import { agent, type Trim, trimmed } from '../../src/index.ts'
import type { Message } from '../../src/ports/model.ts'
import { type Random, seeded } from '../kernel/random.ts'
import { answering, calling, plainConversation, randomConversation, refusedByOpenAi } from './conversations.ts'

const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id)
const asked = (id: string, content = 'and now?'): Message => ({ id, role: 'user', content })

async function forConversations(
  count: number,
  property: (messages: readonly Message[], random: Random) => Promise<void>,
): Promise<void> {
  for (let seed = 1; seed <= count; seed++) {
    const random = seeded(seed)
    try {
      await property(randomConversation(random), random)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}

const randomTrim = (random: Random): Exclude<Trim, string> & object => ({
  ...(random.chance(0.6) ? { turns: 1 + random.int(6) } : { tokens: 10 + random.int(200) }),
  ...(random.chance(0.3) && { tokens: 10 + random.int(200) }),
})

describe('a window', () => {
  test('has the last turns, each whole', async () => {
    const messages = [...plainConversation(5), asked('u5')]
    expect(idsOf(await trimmed(messages, { turns: 2 }))).toEqual(['u4', 'a4', 'u5'])
    expect(await trimmed(messages, { turns: 6 })).toBe(messages)
    expect(await trimmed([], { turns: 6 })).toEqual([])
  })

  test('has as many turns as fit by their tokens, at four bytes each unless more is known', async () => {
    const messages = [...plainConversation(50, 184), asked('u50', 'x'.repeat(184))]
    // 200 bytes with what goes around each: 50 tokens.
    expect(idsOf(await trimmed(messages, { tokens: 150 }))).toEqual(['u49', 'a49', 'u50'])
    expect(idsOf(await trimmed(messages, { tokens: 249 }))).toEqual(['u49', 'a49', 'u50'])
    expect(await trimmed(messages, { tokens: 250 })).toHaveLength(5)
    expect(await trimmed(messages, { turns: 2, tokens: 250 })).toHaveLength(3)
  })

  test('counts messages and not turns of tools: a question asked in two messages is one turn', async () => {
    const messages = [...plainConversation(2), asked('b1'), asked('b2')]
    expect(idsOf(await trimmed(messages, { turns: 1 }))).toEqual(['b1', 'b2'])
  })

  test('keeps the instructions at the head, which are not counted', async () => {
    const head: Message = { id: 'rules', role: 'system', content: 'x'.repeat(9_000) }
    expect(idsOf(await trimmed([head, ...plainConversation(9)], { tokens: 20 }))).toEqual(['rules', 'u8', 'a8'])
  })

  test('keeps the question and the newest rounds of a turn that does not fit by itself', async () => {
    const rounds = Array.from({ length: 9 }, (_, index) => [calling(`c${index}`, `k${index}`), answering(`k${index}`)])
    const messages = [...plainConversation(2), asked('q'), ...rounds.flat()]
    expect(idsOf(await trimmed(messages, { tokens: 40 }))).toEqual(['q', 'c7', 't-k7', 'c8', 't-k8'])
    expect(idsOf(await trimmed(messages, { tokens: 1 }))).toEqual(['q', 'c8', 't-k8'])
  })

  test('leaves out an answer whose call lies before it', async () => {
    const messages = [asked('q'), calling('c', 'late'), asked('r'), answering('late')]
    expect(idsOf(await trimmed(messages, { turns: 1 }))).toEqual(['r'])
  })
})

describe('on 3,000 random conversations, a window', () => {
  test('is part of the thread in its order, ends as it does, and begins at a turn', async () => {
    await forConversations(3_000, async (messages, random) => {
      const view = await trimmed(messages, randomTrim(random))
      const places = view.map((message) => messages.indexOf(message))
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
      expect(places).not.toContain(-1)
      const last = messages.at(-1)
      if (last?.role === 'user') expect(view.at(-1)).toBe(last)
      const first = view.find(({ role }) => role !== 'system')
      if (view.length < messages.length && first !== undefined) {
        expect(startsTurn(messages, messages.indexOf(first))).toBe(true)
      }
    })
  })

  test('holds every call with all that it gave, or neither, and is taken by OpenAI', async () => {
    await forConversations(3_000, async (messages, random) => {
      const view = await trimmed(messages, randomTrim(random))
      const seen = new Set(view)
      expect(refusedByOpenAi(conversationOf(view))).toEqual([])
      if (view === messages) return
      for (const [place, message] of messages.entries()) {
        if (message.role !== 'tool') continue
        const caller = messages
          .slice(0, place)
          .findLast((one) => one.role === 'assistant' && one.toolCalls?.some(({ id }) => id === message.toolCallId))
        if (caller !== undefined && seen.has(caller)) expect(seen).toContain(message)
        if (seen.has(message)) expect(seen.has(caller ?? message)).toBe(true)
      }
    })
  })

  test('has no more turns and no more tokens than it may, but for the last question and the last round', async () => {
    await forConversations(3_000, async (messages, random) => {
      const trim = randomTrim(random)
      if (typeof trim === 'function') return
      const view = await trimmed(messages, trim)
      const { turns = Number.POSITIVE_INFINITY, tokens = Number.POSITIVE_INFINITY } = trim
      expect(view.filter((message) => startsTurn(messages, messages.indexOf(message))).length).toBeLessThanOrEqual(
        turns,
      )
      const count = estimateBy(messages)
      const lastTurn = view.findLastIndex((message) => startsTurn(messages, messages.indexOf(message)))
      const first = view.findIndex(({ role }) => role !== 'system')
      const lastRound = view.findLastIndex(({ role }) => role === 'assistant')
      const counted = view.filter((message, index) => {
        if (index < first) return false
        return lastTurn > first || (message.role !== 'user' && index < lastRound)
      })
      expect(counted.reduce((sum, message) => sum + count(message), 0)).toBeLessThanOrEqual(tokens)
    })
  })
})

describe('tokens', () => {
  test('are counted by what the model counted last', () => {
    const noted: Message = {
      ...{ id: 'a', role: 'assistant', content: 'x', model: 'some' },
      usage: { inputTokens: 500, outputTokens: 3, inputBytes: 1_000 },
    }
    const message = asked('q', 'x'.repeat(84))
    expect(estimateBy([])(message)).toBe(25)
    expect(estimateBy([noted, message])(message)).toBe(50)
    const absurd = { ...noted, usage: { inputTokens: 1, outputTokens: 3, inputBytes: 1_000 } }
    expect(estimateBy([noted, absurd])(message)).toBe(7)
  })

  test('bytes are those of UTF-8', () => {
    for (const text of ['', 'plain', 'Größe', 'Привет', '記憶', '🙂', 'a\u0000b']) {
      expect(bytesIn(text)).toBe(new TextEncoder().encode(text).length)
    }
  })

  test('are counted by a tokenizer that is loaded when it is first needed', async () => {
    let loaded = 0
    const countTokens = async (text: string) => {
      loaded++
      return text.split(/\s+/).length
    }
    const messages = plainConversation(1_000)
    expect(await trimmed(messages, { tokens: 70, countTokens })).toHaveLength(10)
    // The thread is not counted, only what fits and what first does not.
    expect(loaded).toBeLessThan(14)
  })

  test.each([Number.NaN, -1, undefined])('are refused when a tokenizer gives %s', async (count) => {
    const countTokens = () => count as number
    const refused = trimmed(plainConversation(9), { tokens: 70, countTokens })
    await expect(refused).rejects.toMatchObject({ code: 'graph_invalid', message: expect.stringContaining(`${count}`) })
  })
})

test('a function of your own says what is seen', async () => {
  const messages = plainConversation(9)
  const view = await trimmed(messages, (all, { tokensOf }) => all.filter((message) => tokensOf(message) > 0).slice(-3))
  expect(idsOf(view)).toEqual(['a7', 'u8', 'a8'])
})

test('limits that are none are refused where the graph is written', () => {
  for (const trim of [{}, { turns: 0 }, { tokens: 1.5 }, { turns: Number.NaN }]) {
    expect(() => agent({ trim })).toThrow(expect.objectContaining({ code: 'graph_invalid' }))
  }
  const noRoom = { turns: 9, summary: { tokens: 0 } }
  expect(() => agent({ trim: noRoom })).toThrow(expect.objectContaining({ code: 'graph_invalid' }))
})

test('cutting a long thread takes no longer than cutting a short one', async () => {
  const long = plainConversation(100_000)
  let reads = 0
  const watched = new Proxy(long, {
    get(target, name, receiver) {
      if (typeof name === 'string' && /^\d+$/.test(name)) reads++
      return Reflect.get(target, name, receiver)
    },
  })
  await trimmed(watched, { turns: 20 })
  expect(reads).toBeLessThan(400)
})
