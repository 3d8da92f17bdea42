// The seam: every method of a port goes through it, and a worker that is gone does nothing more.
import { expect, test } from 'vitest'
import { oneNode } from '../../faults/program.ts'
import { type Io, through } from '../../faults/seam.ts'
import { memoryStorage } from '../../faults/storage.ts'
import { World } from '../../faults/world.ts'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'

const at = { tenant: 'acme', user: 'ada', thread: 't' }

test('every method, also of the records in a port, and every part of a stream, is a call with a name', async () => {
  const names: string[] = []
  const io: Io = (name, call) => {
    names.push(name)
    return call()
  }
  const checkpointer = through(memoryCheckpointer(), 'postgres', io)
  await checkpointer.threads.get({ tenant: 'a', thread: 't', owner: null })
  await checkpointer.outbox.purge(1)
  await checkpointer.orphans({ graphs: [], limit: 1 })
  const port = {
    async *stream() {
      yield 1
      yield 2
    },
  }
  for await (const part of through(port, 'model', io).stream()) expect(part).toBeGreaterThan(0)
  expect(names).toEqual([
    ...['postgres.threads.get', 'postgres.outbox.purge', 'postgres.orphans'],
    ...['model.stream', 'model.stream', 'model.stream'],
  ])
})

function worldOf(fault: (point: string, count: number) => 'crash-after' | undefined) {
  const storage = memoryStorage().storage()
  return new World({ storage, program: oneNode, tenant: 'acme', cached: false, recorded: false, leaseMs: 300, fault })
}

test('a worker that is gone does nothing more, its timers neither', async () => {
  const world = worldOf((point) => (point === 'a:postgres.beginTurn' ? 'crash-after' : undefined))
  const worker = world.worker('a')
  const input = oneNode.input('q')
  expect(await worker.attempt(() => worker.app.run(input, at))).toBe('gone')
  const before = world.trace.length
  // Longer than a renewal is away.
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(world.trace).toHaveLength(before)
  world.bury()
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(world.trace).toHaveLength(before)
  expect(await world.checkpointer.runs.list({ ...at, owner: 'ada' }, { limit: 9, offset: 0 })).toMatchObject([
    { status: 'running' },
  ])
})
