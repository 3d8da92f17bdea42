// A tool: something a model may ask for, with a typed input and a function.
import { toJSONSchema } from 'zod/mini'
import type { InterruptTerms } from '../graph/interrupt.ts'
import type { Requirement } from '../graph/node.ts'
import { messageOf, RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'
import { issueText, type OutputOf, type StandardSchema } from '../kernel/schema.ts'
import type { ToolDescription } from '../ports/model.ts'
import type { Context } from '../runtime/context.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** What a tool may use: a node's context, with a key of its own for each call. */
export interface ToolContext extends Context {
  /** As the model gave it. */
  readonly toolCallId: string
}

/** Always, by the arguments, or with terms: then by `when`, and without it always. An approver answers unless the terms say otherwise. */
export type ApprovalRule<Input> =
  | boolean
  | ((input: Input) => boolean)
  | (InterruptTerms & { readonly when?: (input: Input) => boolean })

interface ToolParts<Schema extends StandardSchema> {
  /** For the model: what it does and when to use it. */
  readonly description: string
  /** What does not fit is not run: the model is told why. */
  readonly input: Schema
  /** Whether a person decides before it runs: always, or by the arguments; with `when`, also who and until when. Nobody does unless told. */
  readonly approval?: ApprovalRule<OutputOf<Schema>>
  /** What `compile` must be given for this tool. Prebuilt tools say so; yours need not. */
  readonly requires?: readonly Requirement[]
  /** A string goes to the model as it is, anything else as JSON. */
  readonly run: (input: OutputOf<Schema>, context: ToolContext) => unknown
}

/** Vendors whose schemas can say what they are in JSON Schema. */
type SelfDescribing = { readonly '~standard': { readonly jsonSchema: object } } | { readonly _zod: object }

export type ToolDefinition<Schema extends StandardSchema> = ToolParts<Schema> &
  (Schema extends SelfDescribing
    ? {
        /** In the place of what the schema says of itself. */
        readonly jsonSchema?: JsonSchema
      }
    : {
        /** The input as JSON Schema: this vendor's schemas cannot say it themselves. */
        readonly jsonSchema: JsonSchema
      })

/** A tool without its types, as nodes and models use it. */
export interface Tool extends ToolDescription {
  readonly requires?: readonly Requirement[]
  /** Takes the arguments as the model wrote them. Throws what to tell the model when they are not valid. */
  prepare(argumentsText: string): Promise<PreparedCall>
}

/** A call whose arguments are valid. */
export interface PreparedCall {
  /** As plain JSON data, with what the schema has made of them: what a person is shown. */
  readonly arguments: unknown
  /** Who decides before it runs; `undefined`: nobody has to. */
  readonly approval: InterruptTerms | undefined
  /** Gives the text for the model, or throws what to tell it. */
  run(context: ToolContext): Promise<string>
}

const names = /^[A-Za-z0-9_-]{1,64}$/

/**
 * `tool('refund', { description, input: z.object({ … }), run: ({ order }) => … })`. The input is any Standard Schema.
 * Throws `graph_invalid` for a name that models do not take, or an input without JSON Schema.
 */
export function tool<Schema extends StandardSchema>(name: string, definition: ToolDefinition<Schema>): Tool {
  if (!names.test(name)) {
    throw new RecollectError('graph_invalid', `The tool name "${name}" must be 1 to 64 of A–Z a–z 0–9 _ -.`)
  }
  const { description, input, approval = false, requires = [], run } = definition
  return {
    name,
    description,
    parameters: definition.jsonSchema ?? jsonSchemaOf(name, input),
    requires,
    async prepare(argumentsText) {
      const checked = await input['~standard'].validate(argumentsOf(name, argumentsText))
      if (checked.issues !== undefined) {
        throw new RecollectError(
          'input_invalid',
          `The arguments of ${name} are not valid: ${issueText(checked.issues)}`,
        )
      }
      // A Standard Schema gives its own output; the parameter only names it.
      const value = checked.value as OutputOf<Schema>
      return {
        arguments: plain(value),
        approval: termsOf(approval, value),
        run: async (context) => textOf(await run(value, context)),
      }
    },
  }
}

/** Approval is a matter for somebody with the scope for it, unless the tool says otherwise. */
function termsOf<Input>(rule: ApprovalRule<Input>, input: Input): InterruptTerms | undefined {
  const { when = true, ...terms } = typeof rule === 'object' ? rule : { when: rule }
  const needed = typeof when === 'function' ? when(input) : when
  return needed ? { answerer: 'approver', ...terms } : undefined
}

/** What JSON makes of it: a person sees no more of a date than its text. */
function plain(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch {
    return String(value)
  }
}

function argumentsOf(name: string, text: string): unknown {
  try {
    // A model that wants no arguments often sends none.
    return text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    throw new RecollectError(
      'input_invalid',
      `The arguments of ${name} are not JSON. Call it again with a JSON object.`,
    )
  }
}

function textOf(output: unknown): string {
  if (typeof output === 'string') return output
  return output === undefined ? 'done' : (JSON.stringify(output) ?? String(output))
}

function jsonSchemaOf(name: string, input: StandardSchema): JsonSchema {
  const { vendor } = input['~standard']
  let schema: unknown
  let cause: unknown
  try {
    schema = vendorSchemaOf(input)
  } catch (error) {
    cause = error
  }
  if (isRecord(schema)) {
    // Which dialect it is in costs the model tokens and tells it nothing.
    const { $schema: _, ...parameters } = schema
    return parameters
  }
  throw new RecollectError(
    'graph_invalid',
    `The input of tool "${name}" is a schema of "${vendor}", which cannot say what it is in JSON Schema${cause === undefined ? '' : ` (${messageOf(cause)})`}. Give it beside the input, in the field jsonSchema.`,
    { cause },
  )
}

function vendorSchemaOf(input: StandardSchema): unknown {
  const { jsonSchema, vendor } = input['~standard']
  if (jsonSchema !== undefined) return jsonSchema.input({ target: 'draft-2020-12' })
  return vendor === 'zod' ? toJSONSchema(input as never, { io: 'input' }) : undefined
}
