// A conversation with a summary, over HTTP: the page hears the answer alone, and the step tells which summary was in view.
import { expect, test } from 'vitest'
import { agent } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'
import { chatApp, tokenOf } from './chat-app.ts'

test('a page hears the answer and not the summary, keeps the whole conversation, and is told what the model saw', async () => {
  const model = scriptedModel((said) =>
    said.at(-1)?.content.startsWith('<conversation>') ? 'secret notes' : 'An answer.',
  )
  const { app } = chatApp({ model, graph: agent({ trim: { turns: 4, summary: true } }) })
  const headers = { authorization: `Bearer ${await tokenOf('ada')}`, 'content-type': 'application/json' }
  const get = async (path: string) => (await app.request(path, { headers })).json()

  let streamed = ''
  for (let turn = 1; turn <= 8; turn++) {
    const message = { id: `m${turn}`, role: 'user', parts: [{ type: 'text', text: `question ${turn}` }] }
    const body = JSON.stringify({ id: 't1', messages: [message] })
    const response = await app.request('/chat', { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    streamed += await response.text()
  }
  expect(streamed).toContain('answer.')
  expect(streamed).not.toContain('notes')
  expect(await get('/chat/t1/messages')).toHaveLength(16)

  const { values, checkpoint } = await get('/threads/t1/state')
  expect(values.summary).toMatchObject({ text: 'secret notes' })
  const { model_calls: calls, words } = await get(`/threads/t1/steps/${checkpoint.checkpoint_id}`)
  const [{ summary_id: id, messages: seen }] = calls
  expect(id).toEqual(expect.any(String))
  expect(seen).toMatchObject([{ channel: 'messages', altered: false }])
  expect(seen[0].count).toBeLessThan(8)
  expect(words.join(' ')).toContain(`the summary ${id}`)
})
