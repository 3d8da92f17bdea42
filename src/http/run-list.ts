// Runs as they are recorded: one, or those of a thread.
import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import type { RunRecord } from '../ports/run-records.ts'
import { unknownRun } from '../runtime/refusal.ts'
import { Text } from './plain.ts'
import { type Call, type Route, route } from './route.ts'
import { numberText, Run } from './schemas.ts'
import { threadKeyOf } from './service.ts'
import { wireRun } from './thread-view.ts'
import { recordOf } from './threads.ts'
import { unsupported } from './unsupported.ts'
import { json } from './wire.ts'

const tag = 'Runs'
const reading = ['chat', 'operate'] as const

export const runListRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs',
    scopes: reading,
    tag,
    summary: 'The runs of a thread, newest first',
    query: () =>
      z.object({
        limit: numberText(),
        offset: numberText(),
        status: z.optional(Text),
        select: z.optional(z.union([Text, z.array(Text)])),
      }),
    responses: { 200: { description: 'Those of one page', schema: () => z.array(Run()) } },
    handle: async (call) => {
      const { query, service, principal, timing } = call
      if (query.status !== undefined) throw unsupported('status')
      if (query.select !== undefined) throw unsupported('select')
      const limit = Number(query.limit ?? 10)
      if (limit < 1 || limit > 1_000)
        throw new RecollectError('input_invalid', 'The query is not valid: limit must be 1 to 1000.')
      const { thread } = await recordOf(call, call.parameters.thread_id)
      const page = { limit, offset: Number(query.offset ?? 0) }
      const runs = service.checkpointer.runs.list(threadKeyOf(principal, thread), page)
      return json(await Promise.all((await timing.measure('storage', runs)).map(wireRun)))
    },
  }),
  route({
    method: 'GET',
    path: '/threads/:thread_id/runs/:run_id',
    scopes: reading,
    tag,
    summary: 'One run',
    responses: { 200: { description: 'The run', schema: Run } },
    handle: async (call) => json(await wireRun(await runOf(call, call.parameters))),
  }),
]

export async function runOf(
  call: Call,
  { thread_id, run_id }: { thread_id: string; run_id: string },
): Promise<RunRecord> {
  const { service, principal, timing } = call
  const run = await timing.measure('storage', service.checkpointer.runs.get(threadKeyOf(principal, thread_id), run_id))
  if (run !== undefined) return run
  await recordOf(call, thread_id)
  throw unknownRun(thread_id, run_id)
}
