// `npm run deploy -- --dry-run`: everything but the deployment itself.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { variables } from '../../workers/env.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recollect-deploy-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const complete = {
  DATABASE_URL: 'postgresql://user:hunter2@db.example/main',
  UPSTASH_REDIS_REST_URL: 'https://redis.example',
  UPSTASH_REDIS_REST_TOKEN: 'hunter3',
  CACHE_SECRET: 'c'.repeat(32),
  OPENAI_API_KEY: 'hunter4',
  AUTH_SECRET: 'a'.repeat(32),
}

async function deploy(settings: Readonly<Record<string, string>>): Promise<{ code: number; said: string }> {
  const file = join(directory, 'vars')
  await writeFile(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(''),
  )
  // Nothing of the machine's own settings: a test must not meet somebody's real credentials.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in variables)))
  return new Promise((resolve) => {
    const parameters = ['scripts/deploy.ts', '--dry-run', '--env-file', file]
    execFile(process.execPath, parameters, { env: { ...own, NODE_NO_WARNINGS: '1' } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr })
    })
  })
}

describe('npm run deploy -- --dry-run', () => {
  it('bundles the Worker and says what it would do, and no secret', async () => {
    const { code, said } = await deploy(complete)
    expect(said).toContain('The Worker bundles. Would set 5 secrets')
    expect(said).not.toMatch(/hunter|cccc|aaaa/)
    expect(code).toBe(0)
  })

  it('names every setting that is missing, and goes no further', async () => {
    const { code, said } = await deploy({ OPENAI_API_KEY: 'k', UPSTASH_REDIS_REST_URL: 'https://redis.example' })
    for (const name of ['DATABASE_URL', 'AUTH_SECRET', 'UPSTASH_REDIS_REST_TOKEN', 'CACHE_SECRET'])
      expect(said).toContain(name)
    expect(said).not.toContain('bundles')
    expect(code).toBe(1)
  })

  it('refuses a secret that is too short and an address that is none', async () => {
    const { said } = await deploy({ ...complete, AUTH_SECRET: 'short', DATABASE_URL: 'db.example' })
    expect(said).toContain('AUTH_SECRET is shorter than 32')
    expect(said).toContain('DATABASE_URL is not of the form')
  })

  it('does not deploy what belongs to the local stack', async () => {
    expect((await deploy({ ...complete, RECOLLECT_LOCAL: '1' })).said).toContain(
      'RECOLLECT_LOCAL is for the local stack',
    )
  })
})
