// Many approvals, each answered several times at once, over two workers on one database: each runs its tool once.
import type { Checkpointer } from '../src/ports/index.ts'
import { type House, openHouse, tokenOf } from './house.ts'

export interface Storm {
  readonly approvals: number
  readonly copies: number
  readonly executions: number
  /** Copies that were told that they are accepted, or were before. */
  readonly accepted: number
}

const atOnce = 20

export async function storm(
  checkpointers: readonly [Checkpointer, Checkpointer],
  { approvals, copies }: { readonly approvals: number; readonly copies: number },
): Promise<Storm> {
  const workers = checkpointers.map((checkpointer) => (tenant: string) => openHouse({ checkpointer }, tenant))
  let executions = 0
  let accepted = 0
  const one = async (number: number) => {
    const tenant = `storm-${process.pid}-${number}`
    const houses = workers.map((open) => open(tenant))
    const [first] = houses
    const [id = ''] = (await first?.ask('order o1 6000')) ?? []
    const answers = await Promise.all(
      Array.from({ length: copies }, (_, copy) => answer(houses[copy % houses.length] ?? house(first), id)),
    )
    await first?.settled()
    accepted += answers.filter((status) => status === 200).length
    executions += houses.reduce((sum, { executed }) => sum + executed.length, 0)
  }
  for (let start = 0; start < approvals; start += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, approvals - start) }, (_, index) => start + index)
    await Promise.all(numbers.map(one))
  }
  return { approvals, copies, executions, accepted }
}

async function answer({ send, tenant }: House, id: string): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf({ tenant })}` }
  const response = await send(`/approvals/${id}`, {
    body: JSON.stringify({ answer: { decision: 'approve' } }),
    headers,
  })
  await response.text()
  return response.status
}

function house(found: House | undefined): House {
  if (found === undefined) throw new Error('There is no worker.')
  return found
}
