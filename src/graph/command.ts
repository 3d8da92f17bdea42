// What a node may return besides an update: a command that also says where to go, and sends for fan-out.
import { RecollectError } from '../kernel/errors.ts'

/** Where a run ends. */
export const END = '__end__'

const sendMark = Symbol.for('recollect.send')
const commandMark = Symbol.for('recollect.command')

/** One more task for `node`, which sees the state with `input` laid over it. */
export interface Send<Node extends string = string> {
  readonly [sendMark]: true
  readonly node: Node
  readonly input: Readonly<Record<string, unknown>>
}

/** Fan-out: `items.map((item) => send('work', { item }))` runs `work` once per item, all in the next superstep. */
export function send<const Node extends string>(node: Node, input: Readonly<Record<string, unknown>>): Send<Node> {
  return { [sendMark]: true, node, input }
}

export type Target<Node extends string = string> = Node | typeof END | Send<Node>

/** An update and where to go next. `goto` takes the place of the node's edge. */
export interface Command<Update = unknown, Node extends string = string> {
  readonly [commandMark]: true
  readonly update?: Update
  readonly goto?: Target<Node> | readonly Target<Node>[]
}

/** `command({ goto: 'review', update: { draft } })`. Without `goto` the node's edge is followed; with `[]` the branch ends. */
export function command<const Node extends string = never, const Update = undefined>(parts: {
  goto?: Target<Node> | readonly Target<Node>[]
  update?: Update
}): Command<Update, Node> {
  return { [commandMark]: true, ...parts }
}

export function isSend(value: unknown): value is Send {
  return typeof value === 'object' && value !== null && sendMark in value
}

export function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && commandMark in value
}

/** One target or several, as a list; anything else is an error that names the source. */
export function targetsOf(value: unknown, source: string): readonly Target[] {
  const list = Array.isArray(value) ? value : [value]
  for (const target of list) {
    if (typeof target !== 'string' && !isSend(target)) {
      throw new RecollectError(
        'route_invalid',
        `${source} must name a node, END, send(…) or a list of these; it gave ${target === null ? 'null' : typeof target}.`,
      )
    }
  }
  return list
}
