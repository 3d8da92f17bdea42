// The REST protocol as it crosses the wire, without a client in between.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { indexKindOf } from '../../../local/vector/index-kind.ts'
import { type ThrowawayVector, throwawayVector } from '../../../local/vector/throwaway-vector.ts'

let server: ThrowawayVector

beforeAll(async () => {
  server = await throwawayVector({ kind: indexKindOf('dense/2') })
})
afterAll(() => server.stop())
beforeEach(async () => {
  await answer('/reset?all')
  await answer('/upsert', '[{"id":1,"vector":[1,0]},{"id":"b","vector":[0,1]}]')
})

async function answer(path: string, body?: string, method = 'POST'): Promise<unknown[]> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.token}` },
    ...(body !== undefined && { body }),
  })
  return [response.status, await response.json()]
}

describe('requests', () => {
  it('a body is one item or several; a list of one query is answered as that query alone', async () => {
    expect(await answer('/upsert', '{"id":"c","vector":[1,1]}')).toEqual([200, { result: 'Success' }])
    const one = [200, { result: [{ id: '1', score: 1 }] }]
    expect(await answer('/query', '{"vector":[1,0],"topK":1}')).toEqual(one)
    expect(await answer('/query', '[{"vector":[1,0],"topK":1}]')).toEqual(one)
    expect(await answer('/query', '[{"vector":[1,0],"topK":1},{"vector":[0,1],"topK":1}]')).toEqual([
      200,
      { result: [[{ id: '1', score: 1 }], [{ id: 'b', score: 1 }]] },
    ])
  })

  it('topK is 10 where it is not said', async () => {
    const rows = Array.from({ length: 12 }, (_, at) => ({ id: `more ${at}`, vector: [1, at] }))
    await answer('/upsert', JSON.stringify(rows))
    const [, reply] = await answer('/query', '{"vector":[1,0]}')
    expect(reply).toMatchObject({ result: { length: 10 } })
  })

  it('what is deleted may be the body itself', async () => {
    expect(await answer('/delete', '"b"', 'DELETE')).toEqual([200, { result: { deleted: 1 } }])
    expect(await answer('/delete', '[1,"b"]', 'DELETE')).toEqual([200, { result: { deleted: 1 } }])
  })

  it('methods are those of the documentation and of the clients', async () => {
    expect(await answer('/info', undefined, 'GET')).toEqual([
      200,
      { result: expect.objectContaining({ vectorCount: 2 }) },
    ])
    expect(await answer('/list-namespaces', '[]')).toEqual([200, { result: [''] }])
    expect(await answer('/reset', undefined, 'DELETE')).toEqual([200, { result: 'Success' }])
    expect(await answer('/info', '{}', 'PATCH')).toEqual([405, { error: 'Method Not Allowed', status: 405 }])
  })

  it('a namespace is one segment, percent-decoded; an empty one is the default', async () => {
    expect(await answer('/upsert/a%20%C3%A9', '{"id":"c","vector":[1,1]}')).toEqual([200, { result: 'Success' }])
    expect(await answer('/list-namespaces')).toEqual([200, { result: ['', 'a é'] }])
    expect(await answer('/fetch/', '{"ids":["b"]}')).toEqual([200, { result: [{ id: 'b' }] }])
    expect(await answer('/delete-namespace/a%20%C3%A9')).toEqual([200, { result: 'Success' }])
  })
})

const refused = (status: number, error: string) => [status, { error: expect.stringContaining(error), status }]

describe('refusals', () => {
  it('without the token', async () => {
    const response = await fetch(`${server.url}/info`)
    expect([response.status, await response.json()]).toEqual([
      401,
      { error: 'Unauthorized: Invalid auth token', status: 401 },
    ])
  })

  it.each([
    ['/', undefined, 404, 'There is no route /'],
    ['/nothing', '{}', 404, 'There is no route /nothing'],
    ['/constructor', '{}', 404, 'There is no route'],
    ['/info/namespace', '{}', 404, 'There is no route'],
    ['/query/a/b', '{}', 404, 'There is no route'],
    ['/random/ns', '{}', 501, 'random is not available in the local stack'],
    ['/resumable-query-next', '{"uuid":"x","additionalK":1}', 404, 'Resumable query x does not exist'],
    ['/rename-namespace', '{}', 501, 'rename-namespace is not available'],
    ['/delete-namespace/none', '[]', 404, 'Namespace none for the index local does not exist'],
    ['/delete-namespace', '[]', 400, 'The default namespace cannot be deleted'],
    ['/upsert', '{', 400, 'Invalid request: the body is not JSON'],
    ['/upsert', undefined, 400, 'Invalid request: the body is not JSON'],
    ['/upsert', '[]', 422, 'Invalid request: '],
    ['/upsert', 'null', 422, 'Invalid request: '],
    ['/upsert', '{"id":{"a":1},"vector":[1,0]}', 422, 'Invalid request: id: '],
    ['/upsert', '[{"id":"a","vector":[1,0]},{"id":"b","vector":["1",0]}]', 422, 'Invalid request: 1.vector.0: '],
    ['/upsert', '{"id":"a","vector":[1,0],"metadata":[1]}', 422, 'Invalid request: metadata: '],
    ['/upsert', '{"id":"a","vector":[1,0,0]}', 422, 'Invalid vector dimension: 3, expected: 2'],
    ['/upsert', '{"id":"a"}', 422, 'This index requires dense vectors'],
    ['/query', '{}', 422, 'Either vector or sparseVector must be provided.'],
    ['/query', '{"vector":[1,0],"fusionAlgorithm":"OTHER"}', 422, 'Invalid request: fusionAlgorithm: '],
    ['/query', '{"vector":[1,0],"filter":"a ="}', 400, 'Invalid filter: expected a literal'],
    ['/fetch', '{}', 422, 'Only one of ids or prefix must be provided.'],
    ['/fetch', '{"ids":["a"],"prefix":"a"}', 422, 'Only one of ids or prefix must be provided.'],
    ['/delete', '{}', 422, 'Only and only one of the ids, prefix, or filter must be provided.'],
    ['/delete', '{"ids":["a"],"filter":"a = 1"}', 422, 'Only and only one of the ids, prefix, or filter'],
    ['/delete', '{"filter":""}', 400, 'Invalid filter: expected a field'],
    ['/range', '{"cursor":"x","limit":1}', 422, 'Invalid request: cursor: '],
    ['/range', '{"cursor":"0"}', 422, 'Invalid request: limit: '],
  ])('%s %s', async (path, body, status, error) => {
    expect(await answer(path, body)).toEqual(refused(status, error))
    expect(await answer('/fetch', '{"ids":["1","b"]}')).toEqual([200, { result: [{ id: '1' }, { id: 'b' }] }])
  })
})
