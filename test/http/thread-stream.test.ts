// Watching a thread: runs that begin elsewhere, and runs that go on when somebody has answered.
import { expect, test } from 'vitest'
import { askingDeployment } from './asking.ts'
import { framesOf, said, tokenFor } from './deployment.ts'

type Deployment = ReturnType<typeof askingDeployment>

/** Reads until `enough`, then leaves. */
async function watch({ app }: Deployment, enough: (text: string) => boolean, claims = {}, lastEventId?: string) {
  const authorization = `Bearer ${await tokenFor(claims)}`
  const headers = { authorization, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) }
  const response = await app.request('/threads/t1/stream?stream_mode=values', { headers })
  const reader = response.body?.getReader() ?? expect.unreachable()
  const decoder = new TextDecoder()
  const reading = async () => {
    let text = ''
    while (!enough(text)) {
      const { value, done } = await reader.read()
      if (done) break
      text += decoder.decode(value, { stream: true })
    }
    await reader.cancel()
    return framesOf(text)
  }
  return { status: response.status, frames: response.status === 200 ? reading() : Promise.resolve([]) }
}

const states = (frames: readonly { event: string; data: unknown }[]) =>
  frames.filter(({ event }) => event === 'values').map(({ data }) => JSON.stringify(data))

test('whoever watches a thread that waits sees it go on when it is answered by another road', async () => {
  const house = askingDeployment()
  const [asked] = await house.ask()
  const { frames } = await watch(house, (text) => text.includes('The tool said'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  await house.as({ scope: 'approve' })('POST', `/approvals/${asked?.id}`, { answer: { decision: 'approve' } })
  const told = states(await frames)
  expect(told.some((state) => state.includes('__interrupt__'))).toBe(true)
  expect(told.at(-1)).toContain('The tool said: refunded 6000 cents')
  expect(told.filter((state) => state.includes('"refunded 6000'))).toHaveLength(2)
})

test('a run that begins later is told, and one that had ended before is not', async () => {
  const house = askingDeployment()
  await house.ask('hello')
  const { frames } = await watch(house, (text) => text.includes('second'))
  await new Promise((resolve) => setTimeout(resolve, 50))
  await house.as()('POST', '/threads/t1/runs/wait', { assistant_id: 'support', input: said('the second') })
  const told = await frames
  expect(told.filter(({ event }) => event === 'metadata')).toHaveLength(1)
  expect(states(told)[0]).toContain('the second')
})

test('a thread of somebody else is unknown, to an operator it is not', async () => {
  const house = askingDeployment()
  await house.ask()
  expect(await watch(house, () => true, { sub: 'eve' })).toMatchObject({ status: 404 })
  expect(await watch(house, () => true, { tenant: 'other', scope: 'operate' })).toMatchObject({ status: 404 })
  const { frames } = await watch(house, (text) => text.includes('__interrupt__'), { sub: 'olga', scope: 'operate' })
  expect(states(await frames).at(-1)).toContain('tool-approval')
})

test('ids in one stream are unique, and whoever comes back with the last one hears what came after it, once', async () => {
  const house = askingDeployment()
  const run = async (text: string) => {
    const body = { assistant_id: 'support', input: said(text), if_not_exists: 'create', stream_resumable: true }
    const headers = { authorization: `Bearer ${await tokenFor({})}`, 'content-type': 'application/json' }
    const request = { method: 'POST', headers, body: JSON.stringify({ ...body, multitask_strategy: 'enqueue' }) }
    await (await house.app.request('/threads/t1/runs/stream', request)).text()
  }
  const heardUntil = async (text: string, lastEventId?: string) => {
    const { frames } = await watch(house, (heard) => heard.includes(text), {}, lastEventId)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await run(text)
    return frames
  }
  await run('the first')
  const whole = (await heardUntil('the second')).filter(({ id }) => id !== '')
  const [newest] = (await house.as()('GET', '/threads/t1/runs')).body
  expect(whole.length).toBeGreaterThan(0)
  expect(whole.map(({ event }) => event)).not.toContain('metadata')
  expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length)
  for (const { id } of whole) expect(id).toMatch(new RegExp(`^\\d+-\\d+-${newest.run_id}$`))
  // Nobody watches while the next run begins and ends.
  const last = whole.at(-1)?.id ?? expect.unreachable()
  await run('the third')
  const later = await heardUntil('the fourth', last)
  const known = new Set(whole.map(({ id }) => id))
  expect(later.filter(({ id }) => known.has(id))).toEqual([])
  expect(states(later).some((state) => state.includes('the third') && !state.includes('the fourth'))).toBe(true)
})
