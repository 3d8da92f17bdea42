// The question whether a tool may run, and what a person may answer.
import * as z from 'zod/mini'
import { type Interrupt, interrupt } from '../graph/interrupt.ts'
import { isRecollectError } from '../kernel/errors.ts'
import type { Tool } from './tool.ts'

const payload = z.object({ tool: z.string(), description: z.string(), callId: z.string(), arguments: z.unknown() })

/** `edit` asks anew, with the arguments it gives; `respond` is told to the model in the tool's place. */
const decision = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('approve') }),
  z.strictObject({ decision: z.literal('reject'), reason: z.optional(z.string()) }),
  z.strictObject({ decision: z.literal('edit'), arguments: z.record(z.string(), z.unknown()) }),
  z.strictObject({ decision: z.literal('respond'), text: z.string() }),
])

export type ToolDecision = z.infer<typeof decision>
export type ToolApproval = Interrupt<z.infer<typeof payload>, ToolDecision>

export const toolApprovalKind = 'tool-approval'

/**
 * An answer is for the call: how the tool is described may change while it waits. Arguments that a person has edited must be such
 * as the tool takes.
 */
export function toolApproval(tools: ReadonlyMap<string, Tool>): ToolApproval {
  return {
    ...interrupt(toolApprovalKind, { payload, answer: decision }),
    bound: ({ tool, callId, arguments: shown }) => ({ tool, callId, arguments: shown }),
    async misfit(answer, { tool }) {
      if (answer.decision !== 'edit') return undefined
      try {
        await tools.get(tool)?.prepare(JSON.stringify(answer.arguments))
        return undefined
      } catch (error) {
        return isRecollectError(error) ? error.message : `${tool} does not take these arguments.`
      }
    },
  }
}
