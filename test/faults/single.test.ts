// A part of `npm run faults -- single`, in memory: one scenario, every call of it, every way that is over soon. And that storage
// which is wrong is found out.
import { expect, test } from 'vitest'
import { type Plan, play } from '../../faults/case.ts'
import { inLanes } from '../../faults/lanes.ts'
import { lasts, pause } from '../../faults/mode.ts'
import { scenarios } from '../../faults/scenario.ts'
import { casesOf, met, noticed } from '../../faults/single.ts'
import { memoryStorage } from '../../faults/storage.ts'
import type { Storage } from '../../faults/world.ts'
import type { Checkpointer } from '../../src/ports/index.ts'
import { claimPatienceMs } from '../../src/runtime/claim.ts'
import { altered } from '../runtime/doubles.ts'

const leaseMs = 400
const scenario = scenarios.find(({ name }) => name === 'two supersteps') ?? expect.unreachable()
const { storage } = memoryStorage()

test('every call of a run of two supersteps is broken in every way, and nothing is wrong', async () => {
  const all = await casesOf(storage(), scenario)
  const soon = all.filter(({ plan }) => !Object.values(plan).some(lasts))
  const results = await inLanes(soon, soon.length, async (each) => ({
    each,
    ...(await play(storage(), each, leaseMs)),
  }))
  expect(results.length).toBeGreaterThan(50)
  expect(results.filter(({ met }) => met.length === 0).map(({ each }) => each.plan)).toEqual([])
  expect(results.filter(({ problems }) => problems.length > 0)).toEqual([])
})

test('whoever is to be first in line is waited for, however slow it is, while nothing keeps it from going on', async () => {
  const sound = storage()
  const beginTurn: Checkpointer['beginTurn'] = async (begin) => {
    if (begin.run?.key === 'a') await pause(450)
    return sound.checkpointer.beginTurn(begin)
  }
  const slow = { ...sound, checkpointer: altered(sound.checkpointer, { beginTurn }) }
  const scenario = scenarios.find(({ name }) => name === 'in line behind another') ?? expect.unreachable()
  const plan: Plan = { 'a:postgres.beginTurn@1': 'hang' }
  const { problems, trace } = await play(slow, { scenario, plan, returns: true }, 2_000)
  expect(problems).toEqual([])
  expect(trace.indexOf('b:postgres.beginTurn@1')).toBeGreaterThan(trace.indexOf('a:postgres.commitStep@1'))
})

test('where the machine stands still for longer than anybody has patience, the case is played again: nobody had the time to make it good', async () => {
  let stands = true
  const standing = (): Storage => {
    const sound = storage()
    const beginTurn: Checkpointer['beginTurn'] = async (begin) => {
      const claim = await sound.checkpointer.beginTurn(begin)
      if (stands && begin.run?.key === 'a') {
        stands = false
        await pause(claimPatienceMs)
      }
      return claim
    }
    return { ...sound, checkpointer: altered(sound.checkpointer, { beginTurn }) }
  }
  const cached = scenarios.find(({ name }) => name === 'one node, a cached thread') ?? expect.unreachable()
  const plan: Plan = { 'a:postgres.beginTurn@1': 'lost' }
  const { reached, result } = noticed(await met(standing, { scenario: cached, plan, returns: true }))
  expect({ stands, reached, problems: result.problems }).toEqual({ stands: false, reached: true, problems: [] })
})

const broken: Record<string, (inner: Checkpointer) => Partial<Checkpointer>> = {
  'acknowledges commits that it forgets': (inner) => ({
    commitStep: async (step) =>
      step.status === 'success'
        ? { outcome: 'applied', head: step.head + 1, status: 'success' }
        : inner.commitStep(step),
  }),
  'says already to whoever was fenced': (inner) => ({
    commitStep: async (step) => {
      const outcome = await inner.commitStep(step)
      return outcome.outcome === 'fenced' ? { ...outcome, outcome: 'already' } : outcome
    },
  }),
  'loads a chain without its end': (inner) => ({
    loadChain: async (load) => {
      const chain = await inner.loadChain(load)
      return chain && { ...chain, frames: chain.frames.slice(0, -1) }
    },
  }),
}

test.each(Object.entries(broken))('storage that %s is found out', async (name, change) => {
  const faulty = (): Storage => {
    const sound = storage()
    return { ...sound, checkpointer: altered(sound.checkpointer, change(sound.checkpointer)) }
  }
  const plan: Plan = name === 'says already to whoever was fenced' ? { 'a:postgres.commitStep@1': 'stall' } : {}
  const { problems } = await play(faulty(), { scenario, plan, returns: true }, leaseMs / 4)
  expect(problems.length).toBeGreaterThan(0)
})
