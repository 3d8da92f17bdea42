// Health: each service is asked, and an operator alone sees the answers.
import { sign } from 'hono/jwt'
import { describe, expect, it } from 'vitest'
import { memoryCheckpointer } from '../../src/adapters/memory/index.ts'
import { type HealthCheck, serve } from '../../src/http/index.ts'
import { agent, RecollectError } from '../../src/index.ts'
import { scriptedModel } from '../../src/testing/index.ts'

const secret = 's'.repeat(32)
const fine: HealthCheck = { fingerprint: '1a2b3c4d', check: async () => {} }

async function healthOf(health: Record<string, HealthCheck>, scope = 'operate') {
  const checkpointer = memoryCheckpointer()
  const graphs = { chat: agent().compile({ checkpointer, model: scriptedModel(() => 'hi') }) }
  const app = serve({ graphs, checkpointer, health, auth: { secret } })
  const token = await sign(
    { tenant: 'acme', sub: 'ops', scope, exp: Math.floor(Date.now() / 1_000) + 60 },
    secret,
    'HS256',
  )
  const response = await app.request('/health', { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.text() }
}

describe('GET /health', () => {
  it('is 200 with a fingerprint each when every service answers', async () => {
    const { status, body } = await healthOf({ postgres: fine, redis: fine })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      ok: true,
      services: { postgres: { ok: true, fingerprint: '1a2b3c4d' }, redis: { ok: true } },
    })
  })

  it('is 503 and says which service and why when one does not', async () => {
    const down = new RecollectError('storage_unavailable', 'Postgres did not answer.')
    const { status, body } = await healthOf({ redis: fine, postgres: { ...fine, check: () => Promise.reject(down) } })
    expect(status).toBe(503)
    expect(JSON.parse(body).services).toMatchObject({
      postgres: { ok: false, code: 'storage_unavailable', detail: 'Postgres did not answer.' },
      redis: { ok: true },
    })
  })

  it('says nothing of what a foreign error says', async () => {
    const { body } = await healthOf({
      postgres: { ...fine, check: () => Promise.reject(new Error('password=hunter2')) },
    })
    expect(body).not.toContain('hunter2')
  })

  it('is for operators only', async () => {
    expect((await healthOf({ postgres: fine }, 'chat')).status).toBe(403)
  })
})
