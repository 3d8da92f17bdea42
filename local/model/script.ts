// The scripted model: its reply is a pure function of the request, found by the first rule below that fits.
//
// It looks at the last user message (without recalled blocks: `<recalled …>…</recalled>`, `<memories>…`) and, where it
// says so, at the whole conversation. The first answer in words of a conversation begins with "(scripted model)".
//
//   The user says                            The model
//   ---------------------------------------  -------------------------------------------------------------------------
//   fail                                     refuses with 500
//   rate limit me                            refuses with 429 and `retry-after: 1`
//   hang                                     never answers
//   stop in the middle                       sends a part, then the connection is cut
//   end without a finish reason              sends all of its words, then ends: no finish_reason, no usage, no [DONE]
//   say nothing                              answers with no text at all
//   call refund {"order":"A1","cents":1200}  calls the tool with exactly these arguments (also: use, run, invoke)
//   use refund order=A1 cents 1200           reads the arguments from pairs; what is required and missing is made up
//   use the weather tool                     calls the tool whose name has these words
//   call lookup_order and refund             calls both at once; one after the other if parallel_tool_calls is false
//   call lookup_order then refund            calls the second once the first has answered
//   call refund with bad json                calls the tool with arguments that are not JSON
//   call a tool that does not exist: foo     calls foo
//   where is order A1 · look up order A1     calls a tool named after look-up (get, find, track, …) and order
//   refund order A1 12.50                    calls a tool named after refund, in cents or units as its arguments say
//   remember that …                          calls a tool named after remember
//   (the last message is a tool's result)    says what each tool said: "lookup_order says: …"
//   count to 30                              counts, one token for each number
//   echo …                                   repeats the text
//   say slowly …                             repeats the text, spread over three seconds
//   slow 5000 …                              repeats the text (or says how long it took), spread over 5,000 ms
//   what is my name? · where do I live?      answers from the conversation ("Your name is Ada."), else from system and
//   what do I prefer? · what do I work on?   developer messages and recalled blocks ("I remember: your name is Ada."),
//   where do I deploy? · what is my order?   else says that it does not know
//   my name is … · I live in … · I work on   repeats it: "Noted: your name is Ada."
//   I prefer … · I deploy on … · my order
//   is …
//   anything else                            "You said: … This is message 3 of our conversation."
//
// Asked by the runtime for what to remember (the one tool `write_memories`), it writes down what was said of name, home, work,
// deployments and preferences, in the place of what says otherwise, and deletes what somebody says they do "no longer".
//
// A tool is called only if the request offers tools. With `tool_choice: none` they count as not offered; `required` or a
// named tool forces a call, whatever the user said.
import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { type AskedCall, callForced, callsAsked } from './calls.ts'
import { type Conversation, conversationOf, textOf } from './conversation.ts'
import { memoriesWritten } from './extraction.ts'
import { factAsked, factsStated } from './facts.ts'
import type { ChatRequest } from './request.ts'

export type ScriptedReply =
  | { kind: 'answer'; text: string; ending: 'finished' | 'cut' | 'unfinished'; spreadOverMs: number }
  | { kind: 'calls'; calls: readonly ScriptedCall[] }
  | { kind: 'refusal'; error: ApiError }
  | { kind: 'silence' }

export interface ScriptedCall extends AskedCall {
  id: string
}

type Rule = (conversation: Conversation, request: ChatRequest) => ScriptedReply | undefined

const rules: readonly Rule[] = [
  memoriesAsked,
  when(/^fail[.!]?$/i, () => refusal({ status: 500, message: 'The model failed, as asked.', type: 'server_error' })),
  when(/^rate limit me[.!]?$/i, () =>
    refusal({
      status: 429,
      message: 'Rate limit reached, as asked. Try again in 1 s.',
      type: 'requests',
      code: 'rate_limit_exceeded',
      retryAfterSeconds: 1,
    }),
  ),
  when(/^hang[.!]?$/i, () => ({ kind: 'silence' })),
  when(/^stop in the middle[.!]?$/i, () =>
    answer('This answer is cut off before it is whole, as you asked.', { ending: 'cut' }),
  ),
  when(/^end without a finish reason[.!]?$/i, () =>
    answer('This answer ends without saying why, as you asked.', { ending: 'unfinished' }),
  ),
  when(/^say nothing[.!]?$/i, () => answer('')),
  toolCalls,
  toolResults,
  when(/^count to (\d{1,4})[.!]?$/i, ([, last]) =>
    answer(Array.from({ length: Number(last) }, (_, index) => index + 1).join(' ')),
  ),
  when(/^echo:?\s(.*)$/is, ([, text = '']) => answer(text)),
  when(/^say slowly:?\s(.*)$/is, ([, text = '']) => answer(text, { spreadOverMs: 3_000 })),
  when(/^slow (\d{1,6})(?: ?ms)?:?(?:\s(.*))?$/is, ([, ms, text]) =>
    answer(text ?? `This answer took ${ms} ms, as you asked.`, { spreadOverMs: Number(ms) }),
  ),
  (conversation) => answerIf(factAsked(conversation)),
  ({ asked }) => answerIf(factsStated(asked)),
]

export function reply(request: ChatRequest): ScriptedReply {
  const conversation = conversationOf(request)
  for (const rule of rules) {
    const found = rule(conversation, request)
    if (found !== undefined) return introduced(found, conversation)
  }
  return introduced(answer(smallTalk(conversation)), conversation)
}

function when(words: RegExp, then: (match: RegExpExecArray) => ScriptedReply): Rule {
  return ({ asked }) => {
    const match = words.exec(asked)
    return match === null ? undefined : then(match)
  }
}

/** The runtime asks, not a person: what is new in a thread, beside what is remembered. */
function memoriesAsked(_: Conversation, request: ChatRequest): ScriptedReply | undefined {
  const [tool, ...others] = request.tools ?? []
  const asked = request.messages.findLast(({ role }) => role === 'user')
  if (tool?.function.name !== 'write_memories' || others.length > 0 || asked === undefined) return undefined
  const written = { memories: memoriesWritten(textOf(asked)) }
  return {
    kind: 'calls',
    calls: [{ id: callId(request, 0), name: tool.function.name, arguments: JSON.stringify(written) }],
  }
}

/** What was asked for may take several rounds; those already in the conversation since are not asked for again. */
function toolCalls(conversation: Conversation, request: ChatRequest): ScriptedReply | undefined {
  // Words to be repeated ask for nothing.
  const asked = /^(?:echo|say slowly|slow \d+)\b/i.test(conversation.asked) ? [] : callsAsked(conversation)
  const rounds = request.parallel_tool_calls === false ? asked.flat().map((call) => [call]) : asked
  const done = conversation.since.filter((message) => message.role === 'assistant' && message.tool_calls).length
  const next = rounds[done] ?? forcedCall(conversation, request)
  if (next === undefined) return undefined
  return { kind: 'calls', calls: next.map((call, index) => ({ id: callId(request, index), ...call })) }
}

function forcedCall(conversation: Conversation, { tool_choice }: ChatRequest): AskedCall[] | undefined {
  const { tools } = conversation
  const forced =
    tool_choice === 'required'
      ? tools[0]
      : typeof tool_choice === 'object'
        ? tools.find(({ name }) => name === tool_choice.function.name)
        : undefined
  return forced === undefined ? undefined : [callForced(forced, conversation)]
}

/** The same request gets the same ids; a conversation that has gone on gets new ones. */
function callId({ messages }: ChatRequest, index: number): string {
  const hash = createHash('sha256').update(JSON.stringify([messages, index]))
  return `call_${hash.digest('hex').slice(0, 24)}`
}

const longestResult = 1_000

function toolResults({ since }: Conversation): ScriptedReply | undefined {
  if (since.at(-1)?.role !== 'tool') return undefined
  const calls = since.findLast((message) => message.role === 'assistant')?.tool_calls ?? []
  const said = calls.map(({ id, function: { name } }) => {
    const result = since.find((message) => message.role === 'tool' && message.tool_call_id === id)
    const text = result === undefined ? '' : textOf(result)
    return `${name} says: ${text.length > longestResult ? `${text.slice(0, longestResult)}…` : text}`
  })
  return answer(said.join('\n'))
}

function smallTalk({ asked, said }: Conversation): string {
  if (asked === '') return 'You have not said anything yet.'
  return `You said: ${/[.!?…]$/.test(asked) ? asked : `${asked}.`} This is message ${said.length} of our conversation.`
}

function answer(
  text: string,
  { ending = 'finished', spreadOverMs = 0 }: { ending?: 'finished' | 'cut' | 'unfinished'; spreadOverMs?: number } = {},
): ScriptedReply {
  return { kind: 'answer', text, ending, spreadOverMs }
}

function answerIf(text: string | undefined): ScriptedReply | undefined {
  return text === undefined ? undefined : answer(text)
}

function refusal(error: ConstructorParameters<typeof ApiError>[0]): ScriptedReply {
  return { kind: 'refusal', error: new ApiError(error) }
}

function introduced(reply: ScriptedReply, { isNew }: Conversation): ScriptedReply {
  if (reply.kind !== 'answer' || reply.text === '' || !isNew) return reply
  return { ...reply, text: `(scripted model) ${reply.text}` }
}
