// States and differences as a person reads them.
import { block, clipped, plain } from './text.ts'

/** As the wire has it, as far as it is shown. */
export interface StateView {
  readonly values: Readonly<Record<string, unknown>>
  readonly next: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly created_at: string | null
  readonly checkpoint: { readonly checkpoint_id: string | null }
  readonly parent_checkpoint: { readonly checkpoint_id: string | null } | null
  readonly interrupts: readonly { readonly id: string; readonly kind: string; readonly value: unknown }[]
}

export function stateText({
  values,
  next,
  checkpoint,
  parent_checkpoint: parent,
  created_at: at,
  interrupts,
}: StateView): string {
  const lines = [
    `checkpoint ${plain(checkpoint.checkpoint_id)}, after ${plain(parent?.checkpoint_id)}, at ${plain(at)}`,
    `due: ${next.map(plain).join(', ') || 'nothing'}`,
    ...interrupts.map(({ id, kind, value }) => `asks: ${plain(kind)} ${clipped(value, 200)} (${plain(id)})`),
  ]
  const channels = Object.entries(values).map(([name, value]) => `${plain(name)}:\n${indented(valueText(value))}`)
  return [...lines, ...channels].join('\n')
}

type Change =
  | { readonly kind: 'value'; readonly before: unknown; readonly after: unknown }
  | {
      readonly kind: 'list'
      readonly added: readonly unknown[]
      readonly removed: readonly unknown[]
      readonly changed: readonly { readonly before: unknown; readonly after: unknown }[]
    }

interface Diff {
  readonly channels: Readonly<Record<string, Change>>
  readonly next: { readonly before: readonly string[]; readonly after: readonly string[] }
}

export function diffText({ channels, next }: Diff): string {
  const lines = Object.entries(channels).map(([name, change]) => `${plain(name)}:\n${changeLines(change).join('\n')}`)
  if (next.before.join() !== next.after.join()) {
    const due = [next.before, next.after].map((nodes) => nodes.map(plain).join(', ') || 'nothing')
    lines.push(`due:\n${marked('-', due[0] ?? '')}\n${marked('+', due[1] ?? '')}`)
  }
  return lines.length === 0 ? 'Nothing is different.' : lines.join('\n')
}

function changeLines(change: Change): string[] {
  if (change.kind === 'value') return [marked('-', valueText(change.before)), marked('+', valueText(change.after))]
  return [
    ...change.removed.map((element) => marked('-', elementText(element))),
    ...change.changed.flatMap(({ before, after }) => [
      marked('-', elementText(before)),
      marked('+', elementText(after)),
    ]),
    ...change.added.map((element) => marked('+', elementText(element))),
  ]
}

function valueText(value: unknown): string {
  if (!Array.isArray(value))
    return typeof value === 'string' ? block(value) : block(JSON.stringify(value, undefined, 2))
  return value.length === 0 ? 'none' : value.map(elementText).join('\n')
}

/** A message as one line of who and what; anything else as JSON. */
function elementText(element: unknown): string {
  if (typeof element !== 'object' || element === null || !('type' in element && 'content' in element))
    return plain(element)
  const { type, content, name, tool_calls: calls, id } = element as Record<string, unknown>
  const asked = Array.isArray(calls) ? calls.map((call) => `${plain(call?.name)}(${plain(call?.args)})`) : []
  const words = [...(content === '' ? [] : [block(content)]), ...asked.map((call) => `→ ${call}`)]
  return `${plain(type)}${name === undefined ? '' : ` ${plain(name)}`}: ${words.join(' ')}  [${plain(id)}]`
}

function indented(text: string): string {
  return marked(' ', text)
}

function marked(mark: string, text: string): string {
  return text
    .split('\n')
    .map((line) => `${mark} ${line}`)
    .join('\n')
}
