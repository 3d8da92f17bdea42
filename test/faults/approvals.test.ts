// A part of `npm run faults -- approvals`, in memory: a tool that asks is approved while every call goes wrong in every way that is
// over soon. And that what must not be is found out.
import { expect, test } from 'vitest'
import { approvalScenarios } from '../../faults/approvals.ts'
import { play } from '../../faults/case.ts'
import { inLanes } from '../../faults/lanes.ts'
import { lasts } from '../../faults/mode.ts'
import type { Scenario } from '../../faults/scenario.ts'
import { casesOf } from '../../faults/single.ts'
import { memoryStorage } from '../../faults/storage.ts'
import type { Storage } from '../../faults/world.ts'
import type { Checkpointer } from '../../src/ports/index.ts'
import { altered } from '../runtime/doubles.ts'

const leaseMs = 400
const { storage } = memoryStorage()
const named = (name: string): Scenario => approvalScenarios.find((each) => each.name === name) ?? expect.unreachable()

test('no answer is lost, and no tool runs without one or twice, whatever goes wrong between the answer and the end', async () => {
  const all = await casesOf(storage(), named('a tool that keeps what it does is approved'))
  const soon = all.filter(({ plan }) => !Object.values(plan).some(lasts))
  const results = await inLanes(soon, soon.length, async (each) => ({
    each,
    ...(await play(storage(), each, leaseMs)),
  }))
  expect(results.length).toBeGreaterThan(50)
  expect(results.filter(({ met }) => met.length === 0).map(({ each }) => each.plan)).toEqual([])
  expect(results.filter(({ problems }) => problems.length > 0)).toEqual([])
})

const broken: Record<string, (inner: Checkpointer) => Partial<Checkpointer['approvals']>> = {
  'loses answers that it has accepted': ({ approvals }) => ({
    answer: async (request) => {
      const outcome = await approvals.answer({ ...request, answer: null })
      return outcome.outcome === 'invalid' ? { ...outcome, outcome: 'accepted' } : outcome
    },
  }),
  'does not know that the approval of a tool that runs was given': ({ approvals }) => ({
    get: async (key, id) => {
      const approval = await approvals.get(key, id)
      return approval && { ...approval, status: 'pending' }
    },
  }),
}

test.each(Object.entries(broken))('storage that %s is found out', async (_, change) => {
  const sound = storage()
  const approvals = { ...bound(sound.checkpointer), ...change(sound.checkpointer) }
  const faulty: Storage = { ...sound, checkpointer: altered(sound.checkpointer, { approvals }) }
  const { problems } = await play(faulty, { scenario: named('a tool is approved'), plan: {}, returns: true }, leaseMs)
  expect(problems.length).toBeGreaterThan(0)
})

function bound({ approvals }: Checkpointer): Checkpointer['approvals'] {
  return {
    answer: (request) => approvals.answer(request),
    get: (key, id) => approvals.get(key, id),
    list: (search) => approvals.list(search),
    attempts: (tenant, id) => approvals.attempts(tenant, id),
    expire: (limit) => approvals.expire(limit),
    purge: (olderThanMs) => approvals.purge(olderThanMs),
  }
}
