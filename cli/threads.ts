// Commands on whole threads.
import { type Command, jsonObject, wholeNumber } from './command.ts'
import { path } from './service.ts'
import { clipped, columns } from './text.ts'

interface Thread {
  readonly thread_id: string
  readonly status: string
  readonly created_at: string
  readonly updated_at: string
  readonly metadata: unknown
}

const threads: Command = {
  words: [],
  summary: 'Threads, last changed first',
  options: {
    status: { value: 'STATUS', summary: 'only those that are idle, busy, interrupted or error' },
    metadata: { value: 'JSON', summary: 'only those that have all of it' },
    limit: { value: 'N', summary: 'at most so many; 20 unless told otherwise' },
    offset: { value: 'N', summary: 'after so many' },
  },
  async run({ service, options }) {
    const offset = Number(wholeNumber(options, 'offset') ?? 0)
    const search = {
      ...(options.status !== undefined && { status: options.status }),
      metadata: jsonObject(options, 'metadata') ?? {},
      ...{ limit: Number(wholeNumber(options, 'limit') ?? 20), offset, sort_by: 'updated_at' },
      select: ['thread_id', 'status', 'created_at', 'updated_at', 'metadata'],
    }
    const { body, headers } = await service.post<Thread[]>('/threads/search', search)
    const next = headers.get('x-pagination-next')
    const more = next === null ? '' : `\n${headers.get('x-pagination-total')} in all; the next: --offset ${next}`
    const rows = body.map((thread) => [
      thread.thread_id,
      thread.status,
      thread.updated_at,
      thread.created_at,
      clipped(thread.metadata, 60),
    ])
    return { data: body, text: columns([['THREAD', 'STATUS', 'CHANGED', 'CREATED', 'METADATA'], ...rows]) + more }
  },
}

const copy: Command = {
  words: ['THREAD'],
  summary: 'Makes a thread with the same checkpoints',
  async run({ service, words: [thread = ''] }) {
    const { body } = await service.send<Thread>('POST', path`/threads/${thread}/copy`)
    return { data: body, text: `Copied to ${body.thread_id}.` }
  },
}

const prune: Command = {
  words: ['THREAD'],
  summary: 'Deletes old checkpoints; the state of each branch stays',
  async run({ service, words: [thread = ''] }) {
    // That route passes over what it does not find; a person who names a thread wants to hear of it.
    await service.get(path`/threads/${thread}`)
    const { body } = await service.post('/threads/prune', { thread_ids: [thread], strategy: 'keep_latest' })
    return { data: body, text: `Pruned ${thread}.` }
  },
}

const remove: Command = {
  words: ['THREAD'],
  summary: 'Deletes a thread with its checkpoints, runs and approvals',
  async run({ service, words: [thread = ''] }) {
    await service.send('DELETE', path`/threads/${thread}`)
    return { data: { deleted: thread }, text: `Deleted ${thread}.` }
  },
}

export const threadCommands: Readonly<Record<string, Command>> = { threads, copy, prune, delete: remove }
