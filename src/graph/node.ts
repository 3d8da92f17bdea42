// A node: a function of the state, alone or with its options beside it.
import type { Channels, StateOf, UpdateOf } from './channel.ts'
import type { Command, END } from './command.ts'
import type { AnyInterrupt } from './interrupt.ts'

export interface NodeOptions {
  /** Has no effect outside its return value, so that it may be run before the claim on the thread is confirmed. */
  readonly pure?: boolean
  /**
   * Tries in all, the first included, one unless given; and the pause before the second in milliseconds, 500 unless told otherwise,
   * which doubles from there. Tried again is what a node throws, but for a RecollectError that is not `retryable`.
   */
  readonly retry?: { readonly attempts: number; readonly delayMs?: number }
  /** How long one attempt may take, in milliseconds; then it fails with `node_timeout`. 60,000 unless told otherwise. */
  readonly timeoutMs?: number
  /** Waits until every node with a static edge to this one has run since it ran last. */
  readonly join?: boolean
  /** What it may ask: `context.interrupt` takes no other. */
  readonly interrupts?: readonly AnyInterrupt[]
  /** What `compile` must be given for this node. Prebuilt nodes say so; yours need not. */
  readonly requires?: readonly Requirement[]
}

export type Requirement = 'model' | 'store'

// biome-ignore lint/suspicious/noConfusingVoidType: a node without a return statement returns void, and may.
export type NodeReturn<C extends Channels> = UpdateOf<C> | Command<UpdateOf<C> | undefined> | undefined | void

/** `state` is frozen; everything else that a node may use is on `context`. */
export type NodeFunction<C extends Channels, Context> = (
  state: StateOf<C>,
  context: Context,
) => NodeReturn<C> | Promise<NodeReturn<C>>

export type NodeDefinition<C extends Channels, Context> =
  | NodeFunction<C, Context>
  | (NodeOptions & { readonly run: NodeFunction<C, Context> })

/** A prebuilt node, fit for any graph that has the channels it reads and writes. */
export interface PlainNode<State, Update, Context> extends NodeOptions {
  readonly run: (state: State, context: Context) => Promise<Update>
}

type ReturnOf<Definition> = Definition extends { readonly run: (...parts: never[]) => infer Returned }
  ? Awaited<Returned>
  : Definition extends (...parts: never[]) => infer Returned
    ? Awaited<Returned>
    : never

type UpdatesIn<Returned> = Returned extends Command<infer Update> ? Update : Returned
type KeysIn<Update> = Update extends object ? keyof Update : never
type GotoIn<Returned> = Returned extends Command<unknown, infer Node> ? Node : never

/** `unknown` when every node writes known channels only and goes to known nodes only; else a type that names the culprit. */
export type CheckedNodes<C extends Channels, Nodes> = {
  readonly [Name in keyof Nodes]: Exclude<KeysIn<UpdatesIn<ReturnOf<Nodes[Name]>>>, keyof C> extends infer Surplus
    ? [Surplus] extends [never]
      ? Exclude<GotoIn<ReturnOf<Nodes[Name]>>, keyof Nodes | typeof END> extends infer Nowhere
        ? [Nowhere] extends [never]
          ? unknown
          : { readonly 'goes to an unknown node': Nowhere }
        : never
      : { readonly 'writes an unknown channel': Surplus }
    : never
}
