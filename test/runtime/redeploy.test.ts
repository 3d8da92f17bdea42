// A run that waits while another version of its graph is deployed: it is answered there, and goes on there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import {
  append,
  type CompiledGraph,
  type CompileOptions,
  callsTools,
  END,
  interrupt,
  last,
  messages,
  modelNode,
  StateGraph,
  sweep,
  tool,
  toolNode,
  user,
} from '../../src/index.ts'
import { randomId } from '../../src/kernel/id.ts'
import type { Checkpointer } from '../../src/ports/checkpointer.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { type NeonDatabase, pgliteDatabase } from '../contract/neon-database.ts'

let database: NeonDatabase | undefined
beforeAll(async () => {
  database = await pgliteDatabase()
})
afterAll(() => database?.close())

const databases: Record<string, () => Checkpointer> = {
  memory: () => memoryCheckpointer(),
  neon: () => database?.checkpointer ?? expect.unreachable(),
}

const review = interrupt('review', { payload: z.string(), answer: z.union([z.literal('yes'), z.literal('no')]) })
const place = () => ({ tenant: `tenant-${randomId()}`, user: 'ada', thread: 'thread' })
const approver = (tenant: string) => ({ tenant, user: null, by: 'boss', approver: true, via: 'api' })

describe.each(Object.entries(databases))('on %s', (_, make) => {
  const model = scriptedModel((said) =>
    said.at(-1)?.role === 'user' ? { calls: [{ name: 'refund', arguments: { cents: 900 } }] } : 'Done.',
  )
  const refunds: number[] = []
  const refund = (description: string, note?: string) =>
    tool('refund', {
      description,
      input:
        note === undefined
          ? z.object({ cents: z.number() })
          : z.object({ cents: z.number(), note: z._default(z.string(), note) }),
      approval: true,
      run: ({ cents }) => {
        refunds.push(cents)
        return `refunded ${cents}`
      },
    })
  const options = (checkpointer: Checkpointer): CompileOptions => ({ checkpointer, model, name: 'support' })
  const today = (checkpointer: Checkpointer) =>
    new StateGraph({
      state: { messages: messages() },
      nodes: { reply: modelNode({ tools: [refund('Refunds.')] }), tools: toolNode([refund('Refunds.')]) },
      edges: { start: 'reply', reply: (state) => (callsTools(state) ? 'tools' : END), tools: 'reply' },
    }).compile(options(checkpointer))
  const newer = (checkpointer: Checkpointer, note?: string) => {
    const tools = [refund('Refunds an order, in cents.', note)]
    return new StateGraph({
      state: { messages: messages(), audit: append<string>(), mood: last('calm') },
      nodes: {
        greet: () => ({ audit: 'greeted' }),
        reply: modelNode({ tools }),
        tools: toolNode(tools),
        audit: ({ messages: said }) => ({ audit: `${said.length} messages` }),
      },
      edges: {
        start: 'greet',
        greet: 'reply',
        reply: (state) => (callsTools(state) ? 'tools' : END),
        tools: 'audit',
        audit: 'reply',
      },
    }).compile(options(checkpointer))
  }
  /** Without the node that waits. */
  const poorer = (checkpointer: Checkpointer) =>
    new StateGraph({
      state: { messages: messages() },
      nodes: { reply: modelNode() },
      edges: { start: 'reply' },
    }).compile(options(checkpointer))
  const waiting = async () => {
    refunds.splice(0)
    const checkpointer = make()
    const at = place()
    const { run, interrupts } = await today(checkpointer).run({ messages: user('Refund me') }, at)
    const [{ id } = expect.unreachable()] = interrupts
    return { checkpointer, at, run, id }
  }
  const contents = (values: { messages: readonly { role: string; content: string }[] }) =>
    values.messages.map(({ role, content }) => `${role} ${content}`)

  test('a newer graph, with a node more and a tool described otherwise, takes the answer and goes on', async () => {
    const { checkpointer, at, run, id } = await waiting()
    const app = newer(checkpointer)
    expect((await app.state(at)).interrupts).toMatchObject([{ id, kind: 'tool-approval' }])
    const taken = await app.answer(approver(at.tenant), { id, answer: { decision: 'approve' } })
    expect(taken).toMatchObject({ outcome: 'accepted', approval: { status: 'answered', answeredBy: 'boss' } })
    const { status, values } = await app.goOn(at, run)
    expect(status).toBe('success')
    expect(contents(values)).toEqual(['user Refund me', 'assistant ', 'tool refunded 900', 'assistant Done.'])
    expect(values).toMatchObject({ audit: ['3 messages'], mood: 'calm' })
    expect(refunds).toEqual([900])
    expect((await app.run({ messages: user('Again') }, at)).status).toBe('interrupted')
  })

  test('an answer that was taken by the old one is worked off by the newer one’s sweep', async () => {
    const { checkpointer, at, run, id } = await waiting()
    await today(checkpointer).answer(approver(at.tenant), { id, answer: { decision: 'approve' } })
    const app = newer(checkpointer)
    expect(await sweep({ checkpointer, graphs: { support: app as CompiledGraph } })).toMatchObject({
      runs: { failed: 0 },
    })
    expect(contents((await app.result(at, run)).values)).toContain('tool refunded 900')
    expect(refunds).toEqual([900])
  })

  test('arguments that a newer tool takes otherwise are asked about anew: what runs is what was shown', async () => {
    const { checkpointer, at, run, id } = await waiting()
    const app = newer(checkpointer, 'by a newer version')
    await app.answer(approver(at.tenant), { id, answer: { decision: 'approve' } })
    const again = await app.goOn(at, run)
    expect(again).toMatchObject({
      status: 'interrupted',
      interrupts: [{ payload: { arguments: { cents: 900, note: 'by a newer version' } } }],
    })
    expect(again.interrupts[0]?.id).not.toBe(id)
    expect(refunds).toEqual([])
  })

  test('a graph without the node that asked says so, the question stays open, and the old one may be put back', async () => {
    const { checkpointer, at, run, id } = await waiting()
    const app = poorer(checkpointer)
    const answer = app.answer(approver(at.tenant), { id, answer: { decision: 'approve' } })
    await expect(answer).rejects.toMatchObject({
      code: 'interrupt_unknown',
      message:
        'Node "tools" of graph "support" no longer asks "tool-approval": deploy a graph that does, or cancel the run.',
    })
    expect(await checkpointer.approvals.get({ tenant: at.tenant, owner: null }, id)).toMatchObject({
      status: 'pending',
    })
    const old = today(checkpointer)
    await old.answer(approver(at.tenant), { id, answer: { decision: 'approve' } })
    // Answered, and then the node is gone.
    await expect(app.goOn(at, run)).rejects.toMatchObject({
      code: 'node_unknown',
      message: expect.stringContaining('waits for node "tools", which the graph no longer has'),
    })
    expect(refunds).toEqual([])
    const onward = await old.run(null, at)
    expect([onward.status, ...refunds]).toEqual(['success', 900])
  })

  test('a run that waits at a node that is gone may be cancelled, and the thread goes on with new input', async () => {
    const { checkpointer, at, run, id } = await waiting()
    const app = poorer(checkpointer)
    await app.cancel(at, run)
    await expect(app.answer(approver(at.tenant), { id, answer: { decision: 'approve' } })).rejects.toMatchObject({
      code: expect.stringMatching(/^(interrupt_unknown|approval_cancelled)$/),
    })
    expect((await app.run({ messages: user('Hello') }, at)).status).toBe('success')
    expect(refunds).toEqual([])
  })

  test('an answer is checked by the schema that is deployed when it comes', async () => {
    const graph = (asked: typeof review) =>
      new StateGraph({
        state: { log: append<string>() },
        nodes: {
          ask: { interrupts: [asked], run: async (_, { interrupt }) => ({ log: await interrupt(asked, 'ok?') }) },
        },
        edges: { start: 'ask' },
      })
    const checkpointer = make()
    const at = place()
    const { run, interrupts } = await graph(review).compile({ checkpointer }).run({ log: 'in' }, at)
    const [{ id } = expect.unreachable()] = interrupts
    const stricter = { ...review, answer: z.literal('yes') }
    const app = graph(stricter as typeof review).compile({ checkpointer })
    await expect(app.answer(approver(at.tenant), { id, answer: 'no' })).rejects.toMatchObject({ code: 'input_invalid' })
    await app.answer(approver(at.tenant), { id, answer: 'yes' })
    expect((await app.goOn(at, run)).values.log).toEqual(['in', 'yes'])
  })
})
