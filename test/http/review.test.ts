// The review page: a link for one approval, a page that shows exactly what runs, and a form that decides once.
import { expect, test } from 'vitest'
import { reviewUrl } from '../../src/http/review-link.ts'
import { askingDeployment, reviewSecret } from './asking.ts'
import { conforming, deployment, tokenFor } from './deployment.ts'

const operator = { scope: 'operate', sub: 'olga' }
type Deployment = ReturnType<typeof askingDeployment>

async function linkTo({ as }: Deployment, id: string | undefined, body: unknown = { by: 'boss' }): Promise<string> {
  const answer = await as(operator)('POST', `/approvals/${id}/link`, body)
  expect(answer.status).toBe(200)
  const { pathname, search } = new URL(answer.body.url)
  return `${pathname}${search}`
}

async function visit({ app }: Deployment, path: string, form?: Record<string, string>) {
  const init = form && { method: 'POST', body: new URLSearchParams(form) }
  const response = await app.request(path, init)
  return conforming(form === undefined ? 'GET' : 'POST', path, response)
}

test('the page shows exactly what will run, opening it changes nothing, and the form decides', async () => {
  const house = askingDeployment()
  const [asked] = await house.ask('order o1 6000')
  const link = await linkTo(house, asked?.id)
  for (let times = 0; times < 3; times++) {
    const page = await visit(house, link)
    expect(page.status).toBe(200)
    expect(page.text).toContain('May refund run?')
    expect(page.text).toContain('&quot;cents&quot;: 6000')
    expect(page.text).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('cache-control')).toBe('no-store')
  }
  expect(house.executed).toEqual([])
  const decided = await visit(house, link, { decision: 'approve' })
  expect(decided.status).toBe(303)
  expect(decided.headers.get('location')).toBe(link)
  expect(await visit(house, link, { decision: 'approve' })).toMatchObject({ status: 303 })
  const [run] = (await house.as()('GET', '/threads/t1/runs')).body
  await house.as()('GET', `/threads/t1/runs/${run.run_id}/join`)
  expect(house.executed).toEqual([{ order: 'o1', cents: 6000 }])
  const after = await visit(house, link)
  expect(after.text).toContain('It was answered')
  expect(after.text).toContain('boss')
  expect(after.text).not.toContain('<form')
  expect(await visit(house, link, { decision: 'reject' })).toMatchObject({ status: 409 })
  expect(house.executed).toHaveLength(1)
})

test('reject with a reason, edit and respond are in the form; edited arguments are asked for anew', async () => {
  const house = askingDeployment()
  const send = house.as({ scope: 'chat approve' })
  const pending = async () => (await send('GET', '/approvals?status=pending')).body
  const settled = async () => {
    const [run] = (await send('GET', '/threads/t1/runs')).body
    return (await send('GET', `/threads/t1/runs/${run.run_id}/join`)).body
  }
  const [asked] = await house.ask('order o1 6000')
  const link = await linkTo(house, asked?.id)
  expect(await visit(house, link, { decision: 'edit', arguments: '{"order":' })).toMatchObject({ status: 422 })
  expect(await visit(house, link, { decision: 'edit', arguments: '{"order":"o1","cents":-5}' })).toMatchObject({
    status: 422,
  })
  expect(await visit(house, link, { decision: 'maybe' })).toMatchObject({ status: 422 })
  expect(await visit(house, link, { decision: 'edit', arguments: '{"order":"o1","cents":7}' })).toMatchObject({
    status: 303,
  })
  await settled()
  const [edited] = await pending()
  expect(edited.payload.arguments).toEqual({ order: 'o1', cents: 7 })
  await visit(house, await linkTo(house, edited.id), { decision: 'reject', reason: 'not ours' })
  expect(JSON.stringify(await settled())).toContain('did not approve refund: not ours')
  expect(house.executed).toEqual([])
})

test('text that hides or reorders is shown by number, and markup as text', async () => {
  const house = askingDeployment()
  const trick = 'order o1 6000'
  const [asked] = await house.ask(trick)
  const { approvals } = house.checkpointer
  const approval = await approvals.get({ tenant: 'acme', owner: null }, `${asked?.id}`)
  const { reviewPage } = await import('../../src/http/review-page.ts')
  const payload = JSON.stringify({ tool: 'x', description: '<img src=x>', arguments: { to: 'a\u202eb\u200bc' } })
  const page = String(await reviewPage({ ...(approval ?? expect.unreachable()), payload }, null))
  expect(page).toContain('a\\u{202e}b\\u{200b}c')
  expect(page).toContain('&lt;img')
})

test('a link is for one approval and one tenant, expires, and a token of the API is none', async () => {
  const house = askingDeployment()
  const [first, second] = await house.ask('order o1 1 and order o2 2')
  const link = await linkTo(house, first?.id)
  const token = link.split('token=')[1]
  const links = { secret: reviewSecret }
  const claims = { tenant: 'acme', approval: `${first?.id}`, by: 'boss' }
  const at = (url: string) => new URL(url, 'https://here').pathname + new URL(url, 'https://here').search
  const wrong = [
    `/approvals/${second?.id}/review?token=${token}`,
    `/approvals/${first?.id}/review`,
    `/approvals/${first?.id}/review?token=${await tokenFor({ scope: 'operate approve', approval: first?.id, by: 'x' }, reviewSecret)}`,
    `/approvals/${first?.id}/review?token=${await tokenFor({ scope: 'operate approve' })}`,
    at(await reviewUrl(links, { ...claims, exp: 1 })),
    at(await reviewUrl({ secret: `${reviewSecret}!` }, { ...claims, exp: 9e9 })),
  ]
  for (const path of wrong) {
    expect((await visit(house, path)).status, path).toBe(401)
    expect((await visit(house, path, { decision: 'approve' })).status, path).toBe(401)
  }
  const elsewhere = at(await reviewUrl(links, { ...claims, tenant: 'other', exp: 9e9 }))
  expect(await visit(house, elsewhere)).toMatchObject({ status: 404 })
  expect(await visit(house, elsewhere, { decision: 'approve' })).toMatchObject({ status: 404 })
  expect(house.executed).toEqual([])
})

test('links are made by operators; an approval that only some may answer needs a name', async () => {
  const house = askingDeployment({ approvers: ['boss'], notRequester: true })
  const [asked] = await house.ask()
  const path = `/approvals/${asked?.id}/link`
  expect(await house.as({ scope: 'chat approve' })('POST', path, {})).toMatchObject({ status: 403 })
  expect(await house.as(operator)('POST', path, {})).toMatchObject({
    status: 403,
    body: { code: 'approval_forbidden' },
  })
  expect(await house.as({ ...operator, tenant: 'other' })('POST', path, {})).toMatchObject({ status: 404 })
  const others = await linkTo(house, asked?.id, { by: 'intern' })
  expect(await visit(house, others, { decision: 'approve' })).toMatchObject({ status: 403 })
  expect(house.executed).toEqual([])
  const link = await linkTo(house, asked?.id, { by: 'boss', expires_in_seconds: 60 })
  expect(await visit(house, link, { decision: 'approve' })).toMatchObject({ status: 303 })
})

test('a secret that is too short to sign links with is refused at the start, and makes none', async () => {
  const refused = expect.objectContaining({ code: 'environment_invalid' })
  expect(() => deployment({ review: { secret: 'a'.repeat(31) } })).toThrow(refused)
  const link = { tenant: 'acme', approval: 'ap_1', by: null, exp: 9e9 }
  await expect(reviewUrl({ secret: 'short' }, link)).rejects.toEqual(refused)
})
