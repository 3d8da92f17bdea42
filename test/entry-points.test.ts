// The Worker's entry points against the local services: the cron, and the queue of runs that a Worker had to give back.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { embedded } from '../bench/servers.ts'
import { type TemporaryServices, temporaryServices } from '../bench/stack.ts'
import { user } from '../src/index.ts'
import type { Orphan } from '../src/ports/index.ts'
import { compile } from '../workers/compile.ts'
import worker from '../workers/index.ts'
import { until } from './until.ts'

let services: TemporaryServices
beforeAll(async () => {
  services = await temporaryServices(embedded)
})
afterAll(() => services?.close())

const at = { tenant: 'acme', user: 'ada', thread: 't-1' }
const key = { tenant: at.tenant, thread: at.thread, owner: at.user }

test('a run that was handed over goes to the queue, and its consumer goes on with it, once', async () => {
  const sent: Orphan[] = []
  const env = { ...services.variables, RUNS: { send: async (run: Orphan) => void sent.push(run) } }
  const { graphs, checkpointer } = compile(env)
  const running = graphs.support.run(
    { messages: [user('My name is Ada.')] },
    { ...at, run: 'r', handOver: AbortSignal.abort() },
  )
  await expect(running).rejects.toMatchObject({ code: 'run_handed_over' })
  await until(() => expect(sent).toEqual([{ tenant: 'acme', thread: 't-1', run: 'r', graph: 'support' }]))
  expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'running', orphaned: true, attempts: 0 })

  const settled: string[] = []
  const message = (body: Orphan) => ({ body, ack: () => settled.push('ack'), retry: () => settled.push('retry') })
  await worker.queue({ messages: [...sent, ...sent, { ...key, run: 'r', graph: 'gone' }].map(message) }, env)
  expect(settled).toEqual(['ack', 'ack', 'ack'])
  expect(await checkpointer.runs.get(key, 'r')).toMatchObject({ status: 'success' })
  expect((await graphs.support.state(at)).values.messages).toHaveLength(2)

  services.services.standIns.postgres.knobs.fault = 'error'
  await worker.queue({ messages: sent.map(message) }, env)
  services.services.standIns.postgres.knobs.fault = 'none'
  expect(settled.at(-1)).toBe('retry')
})

test('the cron finishes what was left behind, if a turn was taken of late, and else once an hour', async () => {
  const env = { ...services.variables }
  const { graphs, checkpointer, activity } = compile(env)
  const other = { ...at, thread: 't-2' }
  const leave = async (run: string) => {
    const handOver = AbortSignal.abort()
    const running = graphs.support.run({ messages: [user('Hello.')] }, { ...other, run, handOver })
    await expect(running).rejects.toMatchObject({ code: 'run_handed_over' })
  }
  const statusOf = async (run: string) => (await checkpointer.runs.get({ ...key, thread: 't-2' }, run))?.status
  const halfPast = 1_800_000
  await leave('one')
  await worker.scheduled({ scheduledTime: halfPast }, env)
  expect(await statusOf('one')).toBe('running')
  await worker.scheduled({ scheduledTime: 0 }, env)
  expect(await statusOf('one')).toBe('success')
  await leave('two')
  await activity?.mark()
  await worker.scheduled({ scheduledTime: halfPast }, env)
  expect(await statusOf('two')).toBe('success')
})

test('the cron says in a sentence that Postgres is away, and nothing else', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  services.services.standIns.postgres.knobs.fault = 'error'
  await worker.scheduled({ scheduledTime: 0 }, services.variables)
  services.services.standIns.postgres.knobs.fault = 'none'
  expect(told.mock.calls).toEqual([[expect.stringMatching(/^sweep: Postgres did not answer/)]])
  told.mockRestore()
})
