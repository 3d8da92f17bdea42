// What a long thread costs where the model's view of it is trimmed: what the model is asked, what is kept, and the time of a turn.
import { agent, type Message, trimmed, user } from '../src/index.ts'
import { scriptedModel } from '../src/testing/index.ts'
import { mean, percentiles, rounded } from './percentile.ts'
import type { ServerChoices } from './servers.ts'
import { type Stack, stack } from './stack.ts'
import { wordsFrom } from './words.ts'

const lengths = [100, 10_000] as const
const rounds = 20
const characters = 200
const modelMs = 1_000
const trim = { turns: 20, summary: true } as const
/** Messages that are written by one run while a thread is grown. */
const batch = 100

type Row = Awaited<ReturnType<typeof oneTurn>>

export async function context(choices: ServerChoices): Promise<Record<string, unknown>> {
  const running = await stack(choices)
  try {
    const houses = lengths.flatMap((length) => [houseOf(running, length, true), houseOf(running, length, false)])
    for (const house of houses) await grow(house)
    const rows = new Map<House, Row[]>(houses.map((house) => [house, []]))
    // One turn of each, so that what the machine does besides meets all of them.
    for (let round = 0; round < rounds; round++) {
      for (const house of houses) rows.get(house)?.push(await oneTurn(running, house))
    }
    const threads = await Promise.all(houses.map((house) => reportOf(house, rows.get(house) ?? [])))
    const timeOf = (cached: boolean, length: number) =>
      threads.find((thread) => thread.cached === cached && thread.messages === length)?.turnMs.p50 ?? Number.NaN
    const [short, long] = lengths
    return {
      threads,
      timeRatio: {
        cached: rounded(timeOf(true, long) / timeOf(true, short)),
        postgresAlone: rounded(timeOf(false, long) / timeOf(false, short)),
      },
      trimUs: await warmTrimming(),
      ...{ rounds, characters, modelMs },
    }
  } finally {
    await running.close()
  }
}

interface House {
  readonly length: number
  readonly cached: boolean
  readonly at: { readonly tenant: string; readonly user: string; readonly thread: string }
  readonly model: ReturnType<typeof scriptedModel>
  readonly app: ReturnType<typeof compiled>
  readonly words: (length: number) => string
  /** How long the model thinks. */
  readonly pace: { ms: number }
}

function houseOf(running: Stack, length: number, cached: boolean): House {
  const words = wordsFrom(length)
  const pace = { ms: 0 }
  const model = scriptedModel(async () => {
    await new Promise((resolve) => setTimeout(resolve, pace.ms))
    return words(characters)
  })
  const at = { tenant: 'bench', user: 'bench', thread: `${length}-${cached ? 'cached' : 'plain'}` }
  return { length, cached, at, model, app: compiled(running, model, cached), words, pace }
}

function compiled({ checkpointer, cache }: Stack, model: House['model'], cached: boolean) {
  return agent({ trim }).compile({ checkpointer, model, name: 'bench', ...(cached && cache && { cache }) })
}

async function grow({ app, at, length, words }: House): Promise<void> {
  for (let written = 0; written < length; written += batch) {
    const messages = Array.from({ length: batch - 1 }, (_, index) =>
      index % 2 === 0 ? user(words(characters)) : ({ role: 'assistant', content: words(characters) } as const),
    )
    await finished(app, { messages }, at)
  }
}

/** With what follows the answer. */
async function finished(app: House['app'], input: Parameters<House['app']['run']>[0], at: House['at']) {
  const after: Promise<unknown>[] = []
  await app.run(input, { ...at, waitUntil: (work) => void after.push(work) })
  const answeredAt = performance.now()
  await Promise.all(after)
  return answeredAt
}

async function oneTurn(running: Stack, { app, at, model, words, pace }: House) {
  running.taken()
  pace.ms = modelMs
  const before = model.requests.length
  const processorAt = process.cpuUsage()
  const startedAt = performance.now()
  const answeredAt = await finished(app, { messages: [user(words(characters))] }, at)
  const { user: own, system } = process.cpuUsage(processorAt)
  pace.ms = 0
  const { postgres, redis } = running.taken()
  const entries = [...postgres, ...redis].filter((entry) => entry.startedAt < answeredAt)
  const asked = model.requests.slice(before)
  return {
    ms: answeredAt - startedAt,
    storageMs: busyMs(entries),
    cpuMs: (own + system) / 1_000,
    modelMessages: asked[0]?.messages.length ?? 0,
    modelCharacters: charactersOf(asked[0]?.messages ?? []),
    summaries: asked.length - 1,
    writtenBytes: entries.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    readBytes: entries.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
  }
}

/** While at least one call was under way. */
function busyMs(entries: readonly { readonly startedAt: number; readonly endedAt: number }[]): number {
  let total = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { startedAt, endedAt } of [...entries].sort((a, b) => a.startedAt - b.startedAt)) {
    total += Math.max(0, endedAt - Math.max(startedAt, until))
    until = Math.max(until, endedAt)
  }
  return total
}

async function reportOf({ app, at, length, cached }: House, rows: readonly Row[]) {
  const { values } = await app.state(at)
  const most = (pick: (row: Row) => number) => Math.max(...rows.map(pick))
  const usual = (pick: (row: Row) => number) => Math.round(mean(rows.map(pick)))
  return {
    messages: length,
    cached,
    keptMessages: values.messages.length,
    keptCharacters: charactersOf(values.messages),
    summarizedMessages: values.summary?.count ?? 0,
    modelMessages: most((row) => row.modelMessages),
    modelCharacters: most((row) => row.modelCharacters),
    summaries: rows.reduce((sum, row) => sum + row.summaries, 0),
    turnMs: percentiles(rows.map(({ ms }) => ms)),
    storageMs: percentiles(rows.map(({ storageMs }) => storageMs)),
    cpuMs: percentiles(rows.map(({ cpuMs }) => cpuMs)),
    writtenBytes: usual((row) => row.writtenBytes),
    readBytes: usual((row) => row.readBytes),
  }
}

/** A second time, when it is compiled. */
async function warmTrimming() {
  await trimming()
  return trimming()
}

/** What cutting itself costs, by the length of the thread. */
async function trimming() {
  const times: Record<string, number> = {}
  for (const length of lengths) {
    const messages = Array.from(
      { length },
      (_, index): Message => ({
        id: `${index}`,
        role: index % 2 === 0 ? 'user' : 'assistant',
        content: 'x'.repeat(characters),
      }),
    )
    for (const [name, limits] of Object.entries({ turns: { turns: 20 }, tokens: { tokens: 2_000 } })) {
      const startedAt = performance.now()
      for (let index = 0; index < 500; index++) await trimmed(messages, limits)
      times[`${name}${length}`] = rounded(((performance.now() - startedAt) * 1_000) / 500)
    }
  }
  return times
}

function charactersOf(messages: readonly { readonly content: string }[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0)
}
