// Commands on webhooks: who is told of what happens, how that went, and the keys that a tenant signs its own with.
import { type Command, wholeNumber } from './command.ts'
import { path } from './service.ts'
import { columns, plain } from './text.ts'

interface Endpoint {
  readonly id: string
  readonly url: string
  readonly events: readonly string[]
  readonly failures: number
  readonly disabled_reason: string | null
  readonly created_at: string
}

interface WithSecret {
  readonly id: string
  readonly secret: string
}

interface Delivery {
  readonly id: string
  readonly event: string
  readonly attempt: number
  readonly outcome: string
  readonly status: number | null
  readonly error: string | null
  readonly at: string
}

const secretOnce = ({ id, secret }: WithSecret) => `${plain(id)}\nIts secret, which is shown only now: ${plain(secret)}`

const webhooks: Command = {
  words: [],
  summary: 'The endpoints that are told of events',
  async run({ service }) {
    const { body } = await service.get<Endpoint[]>('/webhooks/endpoints')
    const rows = body.map((one) => [one.id, one.url, one.events.join(' '), one.failures, one.disabled_reason ?? '-'])
    return { data: body, text: columns([['ENDPOINT', 'URL', 'EVENTS', 'FAILURES', 'DISABLED'], ...rows]) }
  },
}

const add: Command = {
  words: ['URL'],
  summary: 'Tells a URL of events from now on, and shows what they are signed with',
  options: {
    events: { value: 'A,B', summary: 'all unless told otherwise: approval.requested, run.finished, run.failed' },
  },
  async run({ service, words: [url], options: { events } }) {
    const chosen = events === undefined ? {} : { events: events.split(',') }
    const { body } = await service.post<WithSecret>('/webhooks/endpoints', { url, ...chosen })
    return { data: body, text: secretOnce(body) }
  },
}

const rotate: Command = {
  words: ['ENDPOINT'],
  summary: 'Gives an endpoint a new secret; the one before is good for 24 hours more',
  async run({ service, words: [id = ''] }) {
    const { body } = await service.post<WithSecret>(path`/webhooks/endpoints/${id}/rotate`, undefined)
    return { data: body, text: secretOnce(body) }
  },
}

const remove: Command = {
  words: ['ENDPOINT'],
  summary: 'Deletes an endpoint, with what it was still to be told',
  async run({ service, words: [id = ''] }) {
    await service.send('DELETE', path`/webhooks/endpoints/${id}`)
    return { data: {}, text: `Deleted ${plain(id)}.` }
  },
}

const deliveries: Command = {
  words: ['ENDPOINT'],
  summary: 'How it went, newest first',
  options: { limit: { value: 'N', summary: 'at most so many; 20 unless told otherwise' } },
  async run({ service, words: [id = ''], options }) {
    const query = { limit: wholeNumber(options, 'limit') }
    const { body } = await service.get<Delivery[]>(path`/webhooks/endpoints/${id}/deliveries`, query)
    const rows = body.map((one) => [one.id, one.at, one.event, one.attempt, one.outcome, one.status, one.error])
    return {
      data: body,
      text: columns([['DELIVERY', 'AT', 'EVENT', 'ATTEMPT', 'OUTCOME', 'STATUS', 'ERROR'], ...rows]),
    }
  },
}

const redeliver: Command = {
  words: ['ENDPOINT', 'DELIVERY'],
  summary: 'Sends one again, under the same id',
  async run({ service, words: [id = '', delivery = ''] }) {
    const route = path`/webhooks/endpoints/${id}/deliveries/${delivery}/redeliver`
    const { body } = await service.post<{ readonly webhook_id: string }>(route, undefined)
    return { data: body, text: `On its way again: ${plain(body.webhook_id)}.` }
  },
}

const key: Command = {
  words: [],
  summary: 'Makes a key to sign answers to approvals with',
  async run({ service }) {
    const { body } = await service.post<WithSecret>('/webhooks/keys', undefined)
    return { data: body, text: secretOnce(body) }
  },
}

export const webhookCommands: Readonly<Record<string, Command>> = {
  webhooks,
  'webhook-add': add,
  'webhook-rotate': rotate,
  'webhook-delete': remove,
  'webhook-deliveries': deliveries,
  'webhook-redeliver': redeliver,
  'webhook-key': key,
}
