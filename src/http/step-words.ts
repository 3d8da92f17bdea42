// A step in sentences, for a person who asks why.

import { isRecord } from '../kernel/json.ts'
import type { Approval } from './approvals.ts'
import type { Output } from './lazily.ts'
import type { ModelCall, Step } from './steps.ts'
import { wireText } from './wire.ts'

type WireStep = Omit<Output<typeof Step>, 'words'>

export function wordsOf(step: WireStep): string[] {
  return [
    ranWords(step),
    ...step.model_calls.flatMap(callWords),
    ...step.approvals.map(approvalWords),
    ...step.tool_results.map(
      ({ name, tool_call_id: id, status, content }) =>
        `${name} (call ${id}) ${status === 'success' ? 'gave' : 'failed'}: ${short(content)}`,
    ),
    ...(step.tool_results.length > 0 && step.model_calls.length === 0 && step.parent_checkpoint !== null
      ? [
          `Who called them, and what was seen then, stands at checkpoint ${step.parent_checkpoint.checkpoint_id} or before.`,
        ]
      : []),
    ...step.interrupts.map(({ id, kind, node }) => `Node "${node}" asks ${kind} (${id}); nobody has answered yet.`),
    step.next.length === 0 ? 'Nothing is due after it.' : `Due next: ${step.next.join(', ')}.`,
  ]
}

function ranWords({ checkpoint, run_id: run, step, nodes, changes }: WireStep): string {
  const written = Object.keys(changes ?? {})
  const what = written.length === 0 ? 'Nothing was changed.' : `Changed: ${written.join(', ')}.`
  const from =
    step === 0
      ? 'was written from outside'
      : `is superstep ${step}, in which ${nodes.length === 0 ? 'nodes that are no longer known' : nodes.join(', ')} ran`
  return `Checkpoint ${checkpoint.checkpoint_id} of run ${run} ${from}. ${what}`
}

function callWords(call: Output<typeof ModelCall>): string[] {
  const { node, model, system, tools, memories, summary_id: summary, parameters, error, usage } = call
  const saw = [
    messageWords(call),
    system === null ? 'no instructions' : `instructions of ${system.characters} characters (hash ${system.hash})`,
    ...(summary === null ? [] : [`the summary ${summary}`]),
    ...(memories.length === 0
      ? []
      : [`the memories ${memories.map(({ id, version }) => `${id} (version ${version})`).join(', ')}`]),
    tools.length === 0 ? 'no tools' : `the tools ${tools.join(', ')}`,
    ...Object.entries(parameters).map(([name, value]) => `${name} ${value}`),
  ]
  const who = `The model${model === null ? '' : ` ${model}`}, called by node "${node}",`
  if (error !== null) return [`${who} saw ${saw.join('; ')}. It failed: ${error}.`]
  const cost = usage === null ? '' : ` (${usage.input_tokens} tokens in, ${usage.output_tokens} out)`
  return [`${who} saw ${saw.join('; ')}.`, `It answered${cost}: ${answerWords(call)}`]
}

function messageWords({ messages, earlier_messages: earlier }: Output<typeof ModelCall>): string {
  const count = messages.reduce((sum, range) => sum + range.count, earlier)
  const parts = messages.map(({ channel, from, count: length, altered }) => {
    const some = length === 1 ? from : `${length} from ${from} on`
    return `${some}${channel === null ? ', made by the node' : ` in ${channel}`}${altered ? ', changed by the node' : ''}`
  })
  const rest = earlier === 0 ? [] : [`${earlier} before these`]
  return `${count} message${count === 1 ? '' : 's'} (${[...rest, ...parts].join('; ')})`
}

function answerWords({ answer, answer_id: id, finish_reason: reason }: Output<typeof ModelCall>): string {
  if (answer === null) return `message ${id}, which the node did not keep as it was.`
  const { content, tool_calls: calls = [], invalid_tool_calls: invalid = [] } = answer
  const asked = [calls, invalid].flatMap((list) => (Array.isArray(list) ? list : [])).filter(isRecord)
  const said = typeof content === 'string' && content !== '' ? [`“${short(content)}”`] : []
  const tools = asked.map((call) => `it called ${String(call.name)}(${argumentsOf(call.args)}) as ${String(call.id)}`)
  const why = reason === null || reason === 'stop' || reason === 'tool-calls' ? [] : [`it ended by ${reason}`]
  return `${[...said, ...tools, ...why].join('; ') || 'nothing'}.`
}

function approvalWords({ id, kind, status, answer, ...approval }: Output<typeof Approval>): string {
  const { answered_by: by, answered_via: via, answered_at: at, node, requester, answerer } = approval
  const whom = answerer === 'approver' ? 'an approver' : `${requester}, or an approver`
  const asked = `Node "${node}" asked ${whom}: ${kind} ${short(wireText(approval.payload) ?? '')} (${id}).`
  if (status === 'answered') return `${asked} ${by} answered at ${at}, by ${via}: ${short(wireText(answer) ?? '')}`
  return `${asked} ${status === 'pending' ? 'Nobody has answered yet.' : `It was ${status}.`}`
}

function argumentsOf(written: unknown): string {
  return typeof written === 'string' ? written : wireText(written)
}

const longest = 300

function short(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest).toWellFormed()}… (${text.length} characters)`
}
