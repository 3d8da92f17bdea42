// Chat clients of real versions of the AI SDK, behind what they have in common: the newest of each with what `useChat` works
// with, and the first of each with the class that all of theirs are made of.
import { Chat as Chat7 } from '@ai-sdk/react'
import { lastAssistantMessageIsCompleteWithApprovalResponses as decided7, DefaultChatTransport as Transport7 } from 'ai'
import { Chat as Chat5 } from 'ai-react5'
import { Chat as Chat6 } from 'ai-react6'
import { DefaultChatTransport as Transport5 } from 'ai5'
import { AbstractChat as FirstChat5, DefaultChatTransport as FirstTransport5 } from 'ai5-first'
import {
  lastAssistantMessageIsCompleteWithApprovalResponses as decided6,
  DefaultChatTransport as Transport6,
} from 'ai6'
import {
  AbstractChat as FirstChat6,
  DefaultChatTransport as FirstTransport6,
  lastAssistantMessageIsCompleteWithApprovalResponses as firstDecided6,
} from 'ai6-first'
import {
  AbstractChat as FirstChat7,
  DefaultChatTransport as FirstTransport7,
  lastAssistantMessageIsCompleteWithApprovalResponses as firstDecided7,
} from 'ai7-first'

/** Of a part what tests look at. */
export interface Part {
  readonly type: string
  readonly text?: string
  readonly state?: string
  readonly toolCallId?: string
  readonly input?: unknown
  readonly output?: unknown
  readonly errorText?: string
  readonly id?: string
  readonly data?: unknown
  readonly approval?: { readonly id: string; readonly approved?: boolean; readonly reason?: string }
}

export interface Message {
  readonly id: string
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly Part[]
}

export interface Page {
  readonly status: string
  readonly error: Error | undefined
  messages: readonly Message[]
  sendMessage(message?: { text: string }): Promise<void>
  resumeStream(): Promise<void>
  /** From ai 6 on. */
  decide?(decision: { id: string; approved: boolean; reason?: string }): unknown
}

export interface PageOptions {
  readonly api: string
  readonly headers: Record<string, string>
  readonly history?: readonly Message[]
  readonly fetch?: typeof fetch
  /** In every body. */
  readonly body?: object
}

/** The state of a chat without a framework: as the classes of the SDK want it. */
class PlainState<M extends { id: string }> {
  status: 'ready' | 'submitted' | 'streaming' | 'error' = 'ready'
  error: Error | undefined
  messages: M[]

  constructor(messages: M[]) {
    this.messages = messages
  }

  pushMessage = (message: M) => {
    this.messages = [...this.messages, message]
  }
  popMessage = () => {
    this.messages = this.messages.slice(0, -1)
  }
  replaceMessage = (index: number, message: M) => {
    this.messages = this.messages.with(index, structuredClone(message))
  }
  snapshot = <T>(thing: T): T => structuredClone(thing)
}

class PlainChat5 extends FirstChat5<never> {}
class PlainChat6 extends FirstChat6<never> {}
class PlainChat7 extends FirstChat7<never> {}

type Make = (options: PageOptions) => Page

function pageOf(chat: {
  status: string
  error: Error | undefined
  messages: readonly never[]
  sendMessage(message?: { text: string }): Promise<void>
  resumeStream(): Promise<void>
  addToolApprovalResponse?: (decision: { id: string; approved: boolean; reason?: string }) => unknown
}): Page {
  const { addToolApprovalResponse } = chat
  return {
    get status() {
      return chat.status
    },
    get error() {
      return chat.error
    },
    get messages(): readonly Message[] {
      return chat.messages
    },
    set messages(messages) {
      chat.messages = messages as readonly never[]
    },
    sendMessage: (message) => chat.sendMessage(message),
    resumeStream: () => chat.resumeStream(),
    ...(addToolApprovalResponse && { decide: addToolApprovalResponse }),
  }
}

function transportOf({ api, headers, fetch, body }: PageOptions) {
  return { api, headers, ...(fetch && { fetch }), ...(body && { body }) }
}

const historyOf = ({ history = [] }: PageOptions) => [...history] as never[]

const v5: Make = (o) =>
  pageOf(new Chat5<never>({ id: 't', messages: historyOf(o), transport: new Transport5(transportOf(o)) }))

const v6: Make = (o) =>
  pageOf(
    new Chat6<never>({
      id: 't',
      messages: historyOf(o),
      transport: new Transport6(transportOf(o)),
      sendAutomaticallyWhen: decided6,
    }),
  )

const v7: Make = (o) =>
  pageOf(
    new Chat7<never>({
      id: 't',
      messages: historyOf(o),
      transport: new Transport7(transportOf(o)),
      sendAutomaticallyWhen: decided7,
    }),
  )

const first5: Make = (o) =>
  pageOf(
    new PlainChat5({ id: 't', state: new PlainState(historyOf(o)), transport: new FirstTransport5(transportOf(o)) }),
  )

const first6: Make = (o) =>
  pageOf(
    new PlainChat6({
      id: 't',
      state: new PlainState(historyOf(o)),
      transport: new FirstTransport6(transportOf(o)),
      sendAutomaticallyWhen: firstDecided6,
    }),
  )

const first7: Make = (o) =>
  pageOf(
    new PlainChat7({
      id: 't',
      state: new PlainState(historyOf(o)),
      transport: new FirstTransport7(transportOf(o)),
      sendAutomaticallyWhen: firstDecided7,
    }),
  )

/** By the version of `ai`: of each the first one, and the newest that is installed. */
export const withApprovals: Record<string, Make> = { '6.0.0': first6, '6': v6, '7.0.0': first7, '7': v7 }
export const withoutApprovals: Record<string, Make> = { '5.0.0': first5, '5': v5 }
