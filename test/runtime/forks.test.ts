// Random trees of runs, forks and updates, some of them at once: every checkpoint is what an independent model of it says, for ever.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresBinaries } from '../../local/neon/throwaway-postgres.ts'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { append, last, StateGraph } from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { type NeonDatabase, pgliteDatabase, postgresDatabase } from '../contract/neon-database.ts'
import { seeded } from '../kernel/random.ts'

const isServer = postgresBinaries() !== undefined
let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await (isServer ? postgresDatabase(8) : pgliteDatabase())
})
afterAll(() => database?.close())

const databases: Record<string, () => Checkpointer> = {
  memory: () => memoryCheckpointer(),
  [isServer ? 'Postgres' : 'PGlite, for no Postgres is installed']: () =>
    database?.checkpointer ?? expect.unreachable(),
}

/** The graph below, written a second time and without it. */
interface Expected {
  readonly log: readonly string[]
  readonly word: string
  readonly due: 'a' | 'b' | undefined
}

const nothing: Expected = { log: [], word: '', due: undefined }

const given = (before: Expected, text: string): Expected => ({ ...before, log: [...before.log, text], due: 'a' })

/** Every state on the way to the end. */
function onwards(state: Expected): Expected[] {
  if (state.due === undefined) return []
  const { log, word } = state
  const next: Expected =
    state.due === 'a'
      ? { log: [...log, `a${log.length}${word}`], word: `${word}.`.slice(-4), due: 'b' }
      : { log: [...log, `b${log.length}`], word, due: undefined }
  return [next, ...onwards(next)]
}

const graph = new StateGraph({
  state: { log: append<string>(), word: last('') },
  nodes: {
    a: async ({ log, word }) => ({ log: `a${log.length}${word}`, word: `${word}.`.slice(-4) }),
    b: ({ log }) => ({ log: `b${log.length}` }),
  },
  edges: { start: 'a', a: 'b' },
})

describe.each(Object.entries(databases))('on %s', (_, make) => {
  test.each([1, 2])(
    'a tree grown from seed %i',
    async (seed) => {
      const random = seeded(seed)
      const app = graph.compile({ checkpointer: make() })
      const at = { tenant: `tenant-${randomId()}`, user: 'ada', thread: 'tree' }
      const tree = new Map<string, Expected>([['0', nothing]])
      const grown = () => [...tree.keys()].filter((id) => id !== '0')

      /** Notes the checkpoints that led from `base` to `end`. */
      async function noted(base: string, end: string | undefined, states: readonly Expected[]): Promise<void> {
        const path = await app.history(at, { from: end ?? '', limit: Math.max(states.length, 1) })
        expect(path.at(-1)?.parent ?? '0').toBe(base)
        path.toReversed().forEach(({ checkpoint }, index) => {
          expect(tree.has(checkpoint)).toBe(false)
          tree.set(checkpoint, states[index] ?? expect.unreachable())
        })
      }
      const stateAt = (id: string) => tree.get(id) ?? expect.unreachable()

      async function run(base: string, isFork: boolean, text: string | null): Promise<void> {
        const before = stateAt(base)
        const start = text === null ? before : given(before, text)
        const states = text === null ? onwards(start) : [start, ...onwards(start)]
        const from = isFork ? { from: base } : {}
        const input = text === null ? null : { log: text }
        const { checkpoint } = await app.run(input, { ...at, ...from, strategy: 'enqueue' })
        if (states.length === 0) expect(checkpoint).toBe(base)
        else await noted(base, checkpoint, states)
      }

      async function update(base: string, isFork: boolean, number: number): Promise<void> {
        const asNode = random.chance(0.5) ? (['a', 'b'] as const)[random.int(2)] : undefined
        const { log, due } = stateAt(base)
        const from = isFork ? { from: base } : {}
        const values = { word: `w${number}`, ...(random.chance(0.5) && { log: `u${number}` }) }
        const { checkpoint } = await app.update(at, { values, ...from, ...(asNode && { asNode }) })
        const next = asNode === undefined ? due : asNode === 'a' ? 'b' : undefined
        await noted(base, checkpoint, [
          { log: [...log, ...(values.log ? [values.log] : [])], word: values.word, due: next },
        ])
      }

      await run('0', false, 'first')
      for (let number = 0; number < 25; number++) {
        const { checkpoint: head } = await app.state(at)
        const anywhere = grown()[random.int(grown().length)] ?? head
        const kind = random.int(5)
        if (kind === 0) await run(head, false, `i${number}`)
        else if (kind === 1) await run(anywhere, true, random.chance(0.4) ? null : `f${number}`)
        else if (kind === 2) await update(head, false, number)
        else if (kind === 3) await update(anywhere, true, number)
        else {
          // Each begins where it was told to, whoever is first.
          const bases = [0, 1].map(() => grown()[random.int(grown().length)] ?? head)
          await Promise.all(bases.map((base, index) => run(base, true, `c${number}.${index}`)))
        }
      }
      expect(tree.size).toBeGreaterThan(40)
      for (const [id, { log, word, due }] of tree) {
        if (id === '0') continue
        const state = await app.state(at, id)
        expect([id, state.values, state.next]).toEqual([id, { log, word }, due === undefined ? [] : [due]])
      }
      await app.copy(at, 'copied')
      for (const id of grown()) {
        expect((await app.state({ ...at, thread: 'copied' }, id)).values).toEqual((await app.state(at, id)).values)
      }
    },
    60_000,
  )
})
