// What is not yours does not exist.
import { expect, test } from 'vitest'
import { deployment, said } from './deployment.ts'

const run = { assistant_id: 'chat', input: said('my secret'), if_not_exists: 'create' }

test("another user's and another tenant's thread answers on every route like one that does not exist", async () => {
  const { as } = deployment()
  const owner = as()
  await owner('POST', '/threads/t1/runs/wait', run)
  const [{ run_id: id }] = (await owner('GET', '/threads/t1/runs')).body
  const routes: readonly [string, string, object?][] = [
    ['GET', '/threads/T'],
    ['PATCH', '/threads/T', { metadata: { mine: true } }],
    ['DELETE', '/threads/T'],
    ['GET', '/threads/T/state'],
    ['GET', '/threads/T/state/1'],
    ['POST', '/threads/T/state/checkpoint', { checkpoint: { checkpoint_id: '1' } }],
    ['GET', '/threads/T/history'],
    ['POST', '/threads/T/history', {}],
    ['GET', '/threads/T/runs'],
    ['GET', `/threads/T/runs/${id}`],
    ['GET', `/threads/T/runs/${id}/stream`],
    ['GET', `/threads/T/runs/${id}/join`],
    ['POST', `/threads/T/runs/${id}/cancel`],
    ['POST', '/threads/T/runs/wait', { assistant_id: 'chat', input: said('hi') }],
    ['POST', '/threads/T/runs/stream', { assistant_id: 'chat', input: said('hi') }],
    ['POST', '/threads/T/runs/wait', run],
  ]
  for (const [method, path, body] of routes) {
    for (const stranger of [{ sub: 'sam' }, { tenant: 'other' }, { tenant: 'other', scope: 'chat operate' }]) {
      // A tenant may of course make a thread of its own under any id.
      if (body === run) continue
      const theirs = await as(stranger)(method, path.replace('T', 't1'), body)
      const nobodys = await as(stranger)(method, path.replace('T', 't2'), body)
      const what = `${method} ${path} ${JSON.stringify(stranger)}`
      expect(theirs, what).toMatchObject({ status: 404, body: { code: 'thread_unknown' } })
      expect(theirs.text.replaceAll('t1', 't2'), what).toBe(nobodys.text)
    }
  }
  const taken = await as({ sub: 'sam' })('POST', '/threads/t1/runs/wait', run)
  expect(taken).toMatchObject({ status: 404, body: { code: 'thread_unknown' } })
  expect((await owner('GET', '/threads/t1')).body).toMatchObject({ metadata: {}, values: { messages: [{}, {}] } })
})

test('a search and a count see only what is yours', async () => {
  const { as } = deployment()
  await as()('POST', '/threads', { thread_id: 't1' })
  for (const stranger of [{ sub: 'sam' }, { tenant: 'other' }, { tenant: 'other', scope: 'operate' }]) {
    const found = await as(stranger)('POST', '/threads/search', { ids: ['t1'] })
    expect([found.body, found.headers.get('x-pagination-total')]).toEqual([[], '0'])
    expect((await as(stranger)('POST', '/threads/count', {})).body).toBe(0)
  }
})

test('two tenants have threads of the same id', async () => {
  const { as } = deployment()
  await as()('POST', '/threads/t1/runs/wait', run)
  const other = await as({ tenant: 'other' })('POST', '/threads/t1/runs/wait', { ...run, input: said('another') })
  expect(other.body.messages).toMatchObject([{ content: 'another' }, {}])
  expect((await as()('GET', '/threads/t1')).body.values.messages[0].content).toBe('my secret')
})

test('an operator reads, changes and deletes any thread of the tenant, and speaks in none of others', async () => {
  const { as } = deployment()
  await as()('POST', '/threads/t1/runs/wait', run)
  const operator = as({ sub: 'olga', scope: 'operate' })
  expect((await operator('GET', '/threads/t1/state')).body.values.messages).toHaveLength(2)
  expect((await operator('POST', '/threads/search', {})).body).toHaveLength(1)
  expect((await operator('GET', '/threads/t1/runs')).body).toHaveLength(1)
  expect((await operator('POST', '/threads/t1/runs/wait', run)).body.code).toBe('scope_missing')
  const both = as({ sub: 'olga', scope: 'chat operate' })
  expect((await both('POST', '/threads/t1/runs/wait', run)).status).toBe(404)
  expect((await operator('PATCH', '/threads/t1', { metadata: { seen: true } })).body.metadata).toEqual({ seen: true })
  expect((await operator('DELETE', '/threads/t1')).status).toBe(204)
})

test('tenant, owner and status come from nowhere but the token and the house', async () => {
  const { as, checkpointer } = deployment()
  for (const field of ['tenant', 'owner', 'user', 'status', 'head', 'created_at', 'values']) {
    const answer = await as()('POST', '/threads', { thread_id: 't1', [field]: 'other' })
    expect(answer, field).toMatchObject({ status: 422, body: { code: 'input_invalid' } })
    expect(answer.body.detail).toContain(`"${field}"`)
  }
  await as()('POST', '/threads', { thread_id: 't1', metadata: { owner: 'sam', tenant: 'other' } })
  const record = await checkpointer.threads.get({ tenant: 'acme', thread: 't1', owner: 'alex' })
  expect(record?.owner).toBe('alex')
})
