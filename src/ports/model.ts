// The port to a language model, and the messages that go in and come out.

export interface UserMessage {
  /** In its thread no other message has it. */
  readonly id: string
  readonly role: 'user'
  readonly content: string
}

/** Instructions. Those at the head of a thread are never trimmed. */
export interface SystemMessage {
  readonly id: string
  readonly role: 'system'
  readonly content: string
}

export interface AssistantMessage {
  readonly id: string
  readonly role: 'assistant'
  /** '' where it only calls tools. */
  readonly content: string
  readonly toolCalls?: readonly ToolCall[]
  /** Absent, as model and usage: no model gave it. */
  readonly finishReason?: FinishReason
  /** As its service names it. */
  readonly model?: string
  /** Absent also where the service does not count. */
  readonly usage?: Usage
}

export interface ToolMessage {
  readonly id: string
  readonly role: 'tool'
  /** Of the call that it answers. */
  readonly toolCallId: string
  /** The tool's. */
  readonly name: string
  /** What the tool gave, as text; or why it gave nothing. */
  readonly content: string
  /** `error`: the tool threw, was unknown, or was called with arguments it does not take. `denied`: a person did not approve it. */
  readonly status: 'success' | 'error' | 'denied'
}

export type Message = UserMessage | SystemMessage | AssistantMessage | ToolMessage

export interface ToolCall {
  /** As the model gave it: some name the calls of every answer alike. */
  readonly id: string
  readonly name: string
  /** The arguments as the model wrote them: JSON, when it got it right. */
  readonly arguments: string
}

/** `length`: it was cut off at the most tokens that it may have. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'

/** In tokens, as the provider counted them. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Length of what the input tokens are of, in UTF-8; noted where trimming goes by them. */
  readonly inputBytes?: number
}

export interface ToolDescription {
  readonly name: string
  readonly description: string
  /** JSON Schema of the input. */
  readonly parameters: Readonly<Record<string, unknown>>
}

export interface ModelRequest {
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDescription[]
  /** Aborted, the stream throws its reason. */
  readonly signal: AbortSignal
  /** As the model's service takes it. Its own unless given. */
  readonly temperature?: number
  /** Tokens of the answer at most. As many as the service allows unless given. */
  readonly maxOutputTokens?: number
}

/**
 * What a model says, piece by piece. The last piece is `finish`; a stream that ends without one was cut off. `index`: the place of a call
 * in the answer, from 0. `usage`: `undefined` where the service does not count.
 */
export type ModelPart =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'tool-call-start'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly text: string }
  | {
      readonly type: 'finish'
      readonly reason: FinishReason
      readonly model: string
      readonly usage: Usage | undefined
    }

/** Throws `model_failed` when trying again can help and `model_refused` when not. */
export interface Model {
  stream(request: ModelRequest): AsyncIterable<ModelPart>
}
