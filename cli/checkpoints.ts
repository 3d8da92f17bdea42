// Commands that look at a thread's checkpoints, and go on from one.
import { type Command, type CommandCall, jsonObject, UsageError, wholeNumber } from './command.ts'
import { path, RefusedError } from './service.ts'
import { diffText, type StateView, stateText } from './state-text.ts'
import { block, clipped, columns } from './text.ts'

const history: Command = {
  words: ['THREAD'],
  summary: 'The checkpoints that lead to the head, newest first',
  options: {
    limit: { value: 'N', summary: 'at most so many; 20 unless told otherwise' },
    before: { value: 'CHECKPOINT', summary: 'only those before it' },
  },
  async run({ service, words: [thread = ''], options }) {
    const limit = wholeNumber(options, 'limit') ?? '20'
    const query = { limit, before: options.before }
    const { body } = await service.get<StateView[]>(path`/threads/${thread}/history`, query)
    const rows = body.map(({ checkpoint, parent_checkpoint: parent, metadata, next, interrupts, created_at: at }) => [
      ...[checkpoint.checkpoint_id, parent?.checkpoint_id, metadata.run_id, metadata.step, at],
      next.join(', ') || '-',
      interrupts.length === 0 ? '' : `asks ${interrupts.map(({ kind }) => kind).join(', ')}`,
    ])
    return { data: body, text: columns([['CHECKPOINT', 'AFTER', 'RUN', 'STEP', 'AT', 'DUE', ''], ...rows]) }
  },
}

const state: Command = {
  words: ['THREAD', '[CHECKPOINT]'],
  summary: 'The state at a checkpoint, or at the head',
  async run({ service, words: [thread = '', checkpoint] }) {
    const at = checkpoint === undefined ? path`/threads/${thread}/state` : path`/threads/${thread}/state/${checkpoint}`
    const { body } = await service.get<StateView>(at)
    return { data: body, text: stateText(body) }
  },
}

const diff: Command = {
  words: ['THREAD', 'FROM', 'TO'],
  summary: 'What is different between two checkpoints',
  async run({ service, words: [thread = '', from, to] }) {
    const { body } = await service.get<Parameters<typeof diffText>[0]>(path`/threads/${thread}/diff`, { from, to })
    return { data: body, text: diffText(body) }
  },
}

const step: Command = {
  words: ['THREAD', 'CHECKPOINT'],
  summary: 'How a checkpoint came about: what the model saw and chose, what was asked, who answered',
  async run({ service, words: [thread = '', checkpoint = ''] }) {
    const { body } = await service.get<{ words: string[] }>(path`/threads/${thread}/steps/${checkpoint}`)
    return { data: body, text: body.words.map(block).join('\n') }
  },
}

const writing = {
  values: { value: 'JSON', summary: 'the channels to write, such as {"word":"new"}' },
  'as-node': { value: 'NODE', summary: 'whose writes they are: what comes after it is due then' },
}

const update: Command = {
  words: ['THREAD'],
  summary: 'Writes into a thread; nothing is run',
  options: writing,
  run: (call) => updated(call, undefined),
}

const fork: Command = {
  words: ['THREAD', 'CHECKPOINT'],
  summary: 'The same from an earlier checkpoint: the head moves to the new branch',
  options: writing,
  run: (call) => updated(call, call.words[1]),
}

async function updated({ service, words: [thread = ''], options }: CommandCall, from: string | undefined) {
  const values = jsonObject(options, 'values')
  const node = options['as-node']
  if (values === undefined && node === undefined && from === undefined)
    throw new UsageError('Nothing to write: give --values, --as-node, or both.')
  const body = {
    values: values ?? {},
    ...(from !== undefined && { checkpoint_id: from }),
    ...(node !== undefined && { as_node: node }),
  }
  const answer = await service.post<{ checkpoint: { checkpoint_id: string } }>(path`/threads/${thread}/state`, body)
  return { data: answer.body, text: `Thread ${thread} is at checkpoint ${answer.body.checkpoint.checkpoint_id}.` }
}

interface End {
  readonly __error__?: { readonly error: string; readonly message: string }
  readonly __interrupt__?: readonly { readonly id: string; readonly kind: string; readonly value: unknown }[]
}

const replay: Command = {
  words: ['THREAD', 'CHECKPOINT'],
  summary: 'Runs what was due at a checkpoint again, as a branch of its own',
  async run({ service, words: [thread = '', checkpoint = ''] }) {
    const at = await service.get<StateView>(path`/threads/${thread}/state/${checkpoint}`)
    if (at.body.next.length === 0)
      throw new UsageError(`Nothing was due at checkpoint ${checkpoint}: there is nothing to run.`)
    const request = { assistant_id: at.body.metadata.graph_id, input: null, checkpoint_id: checkpoint }
    const { body } = await service.post<End>(path`/threads/${thread}/runs/wait`, request)
    const { __error__: failure, __interrupt__: asked } = body
    if (failure !== undefined) {
      throw new RefusedError({ status: 200, code: failure.error, detail: `The run failed: ${failure.message}` })
    }
    const head = await service.get<StateView>(path`/threads/${thread}/state`)
    const place = `Thread ${thread} is at checkpoint ${head.body.checkpoint.checkpoint_id}`
    if (asked === undefined) return { data: body, text: `${place}.\n${stateText(head.body)}` }
    const questions = asked.map(({ id, kind, value }) => `  ${id}  ${kind}  ${clipped(value, 100)}`)
    return { data: body, text: [`${place}, and waits for answers:`, ...questions].join('\n') }
  },
}

export const checkpointCommands: Readonly<Record<string, Command>> = {
  history,
  state,
  diff,
  step,
  update,
  fork,
  replay,
}
