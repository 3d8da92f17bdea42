// Commands on what runs ask.
import { type Command, jsonObject, UsageError, wholeNumber } from './command.ts'
import { path } from './service.ts'
import { block, clipped, columns, plain } from './text.ts'

interface Approval {
  readonly id: string
  readonly status: string
  readonly thread_id: string
  readonly node: string
  readonly kind: string
  readonly payload: unknown
  readonly requester: string
  readonly answer: unknown
  readonly answered_by: string | null
  readonly answered_via: string | null
  readonly answered_at: string | null
  readonly expires_at: string | null
  readonly created_at: string
  readonly attempts?: readonly {
    readonly at: string
    readonly by: string
    readonly via: string
    readonly outcome: string
  }[]
}

const approvals: Command = {
  words: [],
  summary: 'What runs have asked, newest first',
  options: {
    status: { value: 'STATUS', summary: 'pending unless told otherwise; answered, expired, cancelled, or all' },
    thread: { value: 'THREAD', summary: 'only those of a thread' },
    limit: { value: 'N', summary: 'at most so many; 20 unless told otherwise' },
    offset: { value: 'N', summary: 'after so many' },
  },
  async run({ service, options }) {
    const { status = 'pending', thread } = options
    const page = { limit: wholeNumber(options, 'limit') ?? '20', offset: wholeNumber(options, 'offset') }
    const query = { status: status === 'all' ? undefined : status, thread_id: thread, ...page }
    const { body } = await service.get<Approval[]>('/approvals', query)
    const rows = body.map((one) => [
      ...[one.id, one.status, one.thread_id, one.requester, one.created_at, one.expires_at],
      clipped(one.payload, 80),
    ])
    return {
      data: body,
      text: columns([['APPROVAL', 'STATUS', 'THREAD', 'FOR', 'ASKED', 'EXPIRES', 'SHOWN'], ...rows]),
    }
  },
}

const approval: Command = {
  words: ['APPROVAL'],
  summary: 'One of them, with everyone who tried to answer',
  async run({ service, words: [id = ''] }) {
    const { body } = await service.get<Approval>(path`/approvals/${id}`)
    const answered =
      body.answered_by === null
        ? ''
        : ` by ${plain(body.answered_by)}, ${plain(body.answered_via)}, at ${plain(body.answered_at)}`
    const lines = [
      `${plain(body.kind)} of node ${plain(body.node)} in thread ${plain(body.thread_id)} for ${plain(body.requester)}`,
      `${plain(body.status)}${answered}`,
      `shown: ${block(JSON.stringify(body.payload, undefined, 2))}`,
      ...(body.answer === null ? [] : [`answer: ${block(JSON.stringify(body.answer))}`]),
    ]
    const tries = (body.attempts ?? []).map(({ at, by, via, outcome }) => [at, by, via, outcome])
    const table = tries.length === 0 ? [] : [columns([['AT', 'BY', 'VIA', 'TOLD'], ...tries])]
    return { data: body, text: [...lines, ...table].join('\n') }
  },
}

const approve: Command = {
  words: ['APPROVAL'],
  summary: 'Answers; the run goes on at once',
  options: {
    decision: { value: 'DECISION', summary: 'of a tool: approve, reject, edit or respond' },
    reason: { value: 'TEXT', summary: 'with reject: what the model is told' },
    arguments: { value: 'JSON', summary: 'with edit: what the tool is to be called with, which asks anew' },
    text: { value: 'TEXT', summary: 'with respond: what the model is told in the place of the tool' },
    answer: { value: 'JSON', summary: 'of any other question: the answer, in the place of all these' },
  },
  async run({ service, words: [id = ''], options }) {
    const answer = answerOf(options)
    const { body } = await service.post<{ outcome: string; approval: Approval }>(path`/approvals/${id}`, { answer })
    return { data: body, text: `${plain(body.outcome)}: ${plain(id)} of thread ${plain(body.approval.thread_id)}.` }
  },
}

/** Which option a decision must have, or may. */
const parts: Readonly<Record<string, { readonly option?: string; readonly required?: true }>> = {
  approve: {},
  reject: { option: 'reason' },
  edit: { option: 'arguments', required: true },
  respond: { option: 'text', required: true },
}

function answerOf(options: Readonly<Record<string, string | undefined>>): unknown {
  const { decision, answer } = options
  const given = ['reason', 'arguments', 'text'].filter((name) => options[name] !== undefined)
  if (answer !== undefined) {
    if (decision !== undefined || given.length > 0) throw new UsageError('--answer stands alone: leave the others out.')
    try {
      return JSON.parse(answer)
    } catch {
      throw new UsageError(`--answer is not JSON. A text is written with its quotes: --answer '"red"'`)
    }
  }
  const part = decision === undefined ? undefined : parts[decision]
  if (part === undefined) throw new UsageError('Say --decision approve, reject, edit or respond; or --answer JSON.')
  const strange = given.find((name) => name !== part.option)
  if (strange !== undefined) throw new UsageError(`--${strange} does not go with --decision ${decision}.`)
  if (part.option !== undefined && part.required && given.length === 0) {
    throw new UsageError(`--decision ${decision} needs --${part.option}.`)
  }
  const { reason, text } = options
  const edited = jsonObject(options, 'arguments')
  return {
    decision,
    ...(reason !== undefined && { reason }),
    ...(text !== undefined && { text }),
    ...(edited && { arguments: edited }),
  }
}

export const approvalCommands: Readonly<Record<string, Command>> = { approvals, approval, approve }
