// The graphs that are broken. Every attempt of a node answers differently: `first:a#7` is the seventh attempt, of `first`, at `ask:a`.
import * as z from 'zod/mini'
import {
  append,
  type CompiledGraph,
  type CompileOptions,
  callsTools,
  END,
  last,
  type Message,
  messages,
  modelNode,
  StateGraph,
  tool,
  toolNode,
  user,
} from '../src/index.ts'
import type { Model } from '../src/ports/index.ts'
import { scriptedModel } from '../src/testing/index.ts'

/** A service outside, where what is done stays done. */
export interface Shop {
  charge(call: Call): Promise<void>
  /** Gets what nodes have put in the outbox. */
  deliver(message: Delivered): Promise<void>
}

/** What the outbox calls the shop. */
export const topic = 'shop'

export interface Delivered {
  readonly id: string
  readonly of: string
}

export interface Call {
  readonly run: string
  /** The idempotency key that the task gave. */
  readonly key: string
  /** Which request, and which of its tasks. */
  readonly of: string
  readonly task: string
  /** The attempt that made it, as it says in its answer. */
  readonly number: number
}

export interface Services {
  readonly shop: Shop
  /** A number that no other attempt gets. */
  attempt(): number
}

export interface Program {
  readonly name: string
  graph(services: Services): { compile(options: CompileOptions): CompiledGraph }
  model(attempt: () => number): Model
  /** The input that asks `ask:<name>`. */
  input(name: string): unknown
  /** What is said of a request besides the question, in order. */
  readonly tasks: readonly string[]
  /** Where that is not the same for every request. */
  readonly tasksOf?: (request: string) => readonly string[]
  /** Whether every request sends one message. */
  readonly sends?: true
}

/** The lines that a request leaves, without the numbers of attempts. */
export function blockOf({ tasks, tasksOf }: Program, request: string): readonly string[] {
  return ['ask', ...(tasksOf?.(request) ?? tasks)].map((task) => `${task}:${request}`)
}

/** The state as lines, oldest first: what was asked and what was answered. */
export function linesOf(values: Readonly<Record<string, unknown>>): string[] {
  const { log = [], messages: said = [] } = values as { log?: readonly string[]; messages?: readonly Message[] }
  return [...log, ...said.map(lineOf)]
}

function lineOf(message: Message): string {
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : []
  return calls.length > 0 ? `calls:${askedIn(calls[0]?.arguments ?? '')}` : message.content
}

/** The request that a line asks or answers: `first:a#7` → `a`. */
export function requestOf(line: string): string {
  return line.replace(/^\w+:/, '').replace(/[#/].*$/, '')
}

/** Without the number of the attempt. */
export function withoutAttempt(line: string): string {
  return line.replace(/#\d+$/, '')
}

function latest(log: readonly string[]): string {
  return requestOf(log.findLast((line) => line.startsWith('ask:')) ?? '')
}

const logged = { log: append<string>(), bulk: last('') }
const retry = { attempts: 4, delayMs: 5 }

interface LogState {
  readonly log: readonly string[]
}

/** A node that charges the shop and then says so. */
function charging(task: string, { shop, attempt }: Services) {
  return {
    retry,
    run: async ({ log }: LogState, { run, idempotencyKey }: { run: string; idempotencyKey: string }) => {
      const of = latest(log)
      const number = attempt()
      await shop.charge({ run, key: idempotencyKey, of, task, number })
      return { log: `${task}:${of}#${number}` }
    },
  }
}

const unused = { model: () => scriptedModel(() => '') }
const logInput = (name: string) => ({ log: `ask:${name}` })

/** Two supersteps: the first pure, the second with an effect. */
export const twoSteps: Program = {
  ...unused,
  name: 'two-steps',
  tasks: ['first', 'second'],
  input: logInput,
  graph: (services) =>
    new StateGraph({
      state: logged,
      nodes: {
        first: { pure: true, run: async ({ log }) => ({ log: `first:${latest(log)}#${services.attempt()}` }) },
        second: charging('second', services),
      },
      edges: { start: 'first', first: 'second' },
    }),
}

/** Two supersteps, both with an effect: one can be held in either. */
export const twoEffects: Program = {
  ...unused,
  name: 'two-effects',
  tasks: ['first', 'second'],
  input: logInput,
  graph: (services) =>
    new StateGraph({
      state: logged,
      nodes: { first: charging('first', services), second: charging('second', services) },
      edges: { start: 'first', first: 'second' },
    }),
}

/** A state that does not come along with the claim, and whose snapshots are due often. */
export const bulky: Program = {
  ...twoSteps,
  name: 'bulky',
  input: (name) => ({ ...logInput(name), bulk: name.padEnd(20_000, '.') }),
}

/** Three tasks at once, then one that needs them all. */
export const parallel: Program = {
  ...unused,
  name: 'parallel',
  tasks: ['left', 'middle', 'right', 'both'],
  input: logInput,
  graph: (services) =>
    new StateGraph({
      state: logged,
      nodes: {
        left: charging('left', services),
        middle: charging('middle', services),
        right: charging('right', services),
        both: { join: true, ...charging('both', services) },
      },
      edges: { start: ['left', 'middle', 'right'], left: 'both', middle: 'both', right: 'both' },
    }),
}

/** A node of two parts, each of them kept: what a part gave is what is said of it, whoever made it. */
export const parts: Program = {
  ...unused,
  name: 'parts',
  tasks: ['hold', 'take'],
  input: logInput,
  graph: ({ shop, attempt }) =>
    new StateGraph({
      state: logged,
      nodes: {
        pay: {
          // Keeping a part is tried for 20 s in each attempt.
          retry: { ...retry, attempts: 2 },
          run: async ({ log }, { run, idempotencyKey, task }) => {
            const of = latest(log)
            const part = async (name: string) => {
              const number = await task(name, async () => {
                const made = attempt()
                await shop.charge({ run, key: `${idempotencyKey}:${name}`, of, task: name, number: made })
                return made
              })
              return `${name}:${of}#${number}`
            }
            return { log: [await part('hold'), await part('take')] }
          },
        },
      },
      edges: { start: 'pay' },
    }),
}

/** Sends a message with what it says, and says more afterwards. */
export const messenger: Program = {
  ...unused,
  name: 'messenger',
  tasks: ['first', 'second'],
  sends: true,
  input: logInput,
  graph: (services) =>
    new StateGraph({
      state: logged,
      nodes: {
        first: async ({ log }, { outbox }) => {
          outbox(topic, latest(log))
          return { log: `first:${latest(log)}#${services.attempt()}` }
        },
        second: charging('second', services),
      },
      edges: { start: 'first', first: 'second' },
    }),
}

function asked(said: readonly Message[]): string {
  return requestOf(said.findLast(({ role }) => role === 'user')?.content ?? '')
}

function askedIn(text: string): string {
  const { of }: { of: string } = JSON.parse(text)
  return of
}

const messageInput = (name: string) => ({ messages: user(`ask:${name}`) })

/** One model node, pure: on a cached thread it runs ahead of the claim. */
export const oneNode: Program = {
  name: 'one-node',
  tasks: ['reply'],
  input: messageInput,
  graph: () =>
    new StateGraph({ state: { messages: messages() }, nodes: { reply: modelNode() }, edges: { start: 'reply' } }),
  model: (attempt) => scriptedModel((said) => `reply:${asked(said)}#${attempt()}`),
}

const callTries = 5

/** A model that asks for two tools at once, and answers when they have. */
export const agentTools: Program = {
  name: 'agent',
  tasks: ['calls', 'hold', 'take', 'reply'],
  input: messageInput,
  graph: ({ shop, attempt }) => {
    const charge = tool('charge', {
      description: 'Charges.',
      input: z.object({ of: z.string(), part: z.string() }),
      run: async ({ of, part }, { run, idempotencyKey: key }) => {
        const number = attempt()
        // As a sound tool does: the same call again, with the same key.
        for (let tries = 1; ; tries++) {
          try {
            await shop.charge({ run, key, of, task: part, number })
            return `${part}:${of}#${number}`
          } catch (error) {
            if (tries === callTries) throw error
          }
        }
      },
    })
    return new StateGraph({
      state: { messages: messages() },
      nodes: { reply: modelNode({ tools: [charge] }), tools: toolNode([charge]) },
      edges: { start: 'reply', reply: (state) => (callsTools(state) ? 'tools' : END), tools: 'reply' },
    })
  },
  model: (attempt) =>
    scriptedModel((said) => {
      const of = asked(said)
      if (said.at(-1)?.role === 'tool') return `reply:${of}#${attempt()}`
      const number = attempt()
      return {
        calls: ['hold', 'take'].map((part) => ({
          id: `${part}-${number}`,
          name: 'charge',
          arguments: { of, part },
        })),
      }
    }),
}
