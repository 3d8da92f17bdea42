// What hostile and unlucky users do to the whole stack, and what its services do to them: each gets a clear answer, and the
// next good turn works.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { neon, neonConfig } from '@neondatabase/serverless'
import { sign } from 'hono/jwt'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type LocalSecrets, localSecrets, tokenFor } from '../../local/secrets.ts'
import type { Knobs } from '../../local/stand-in.ts'
import { until } from '../until.ts'
import { type LocalStack, startStack } from './local-stack.ts'
import { type Answer, chatMessage, lastOf, type Message, type Speaker, speaker, turnText } from './speaker.ts'

interface Operation {
  requestBody?: { content: Record<string, { schema: { properties?: object; $ref?: string } }> }
}

const leaseMs = 60_000

let data: string
let stack: LocalStack
let user: Speaker
let secrets: LocalSecrets
let postgres: string
let redis: string
let model: string
/** When the turn that outlasted the database had been claimed. */
let cutOffAt: number

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'recollect-weather-'))
  stack = await startStack(data)
  user = speaker(stack.base, stack.token)
  secrets = await localSecrets(data)
  postgres = originOf('Postgres')
  redis = originOf('Redis')
  model = originOf('Model')
})

afterEach(async () => {
  await knobs(postgres, { fault: 'none', faultRate: 1 })
  await knobs(redis, { fault: 'none' })
  await knobs(model, { fault: 'none' })
})

afterAll(async () => {
  await stack?.kill().catch(() => {})
  await rm(data, { recursive: true, force: true })
})

describe('a database that is away in mid-turn', () => {
  it('is waited for; a turn that it cannot keep ends in an error, never as finished', async () => {
    await knobs(model, { fault: 'hold' })
    const lost = user.chat('cut-off', 'slow 1000 too early')
    const kept = user.say('just-in-time', 'slow 18500 late enough')
    await asked('cut-off', 'slow 1000 too early')
    await asked('just-in-time', 'slow 18500 late enough')
    cutOffAt = performance.now()
    await knobs(postgres, { fault: 'error' })
    await knobs(model, { fault: 'none' })
    const stream = await lost
    await knobs(postgres, { fault: 'none' })
    expect(stream.text).toContain('"errorCode":"storage_unavailable"')
    expect(stream.text).toContain('"type":"error"')
    expect(stream.text).not.toContain('"type":"finish"')
    expect(await user.contentsOf('cut-off')).toEqual(['slow 1000 too early'])
    expect(lastOf(await kept)).toBe('(scripted model) late enough')
    expect(await user.contentsOf('just-in-time')).toEqual(['slow 18500 late enough', '(scripted model) late enough'])
  })
})

describe('a caller without the right', () => {
  it('is told what is wrong with the token, and no part of it', async () => {
    const claims = { tenant: 'local', sub: 'you', scope: 'chat', exp: Math.floor(Date.now() / 1_000) + 60 }
    const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const tokens = {
      token_missing: [''],
      token_invalid: [
        'nonsense',
        'a.b.c',
        `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`,
        await sign(claims, 'another secret, also of 32 bytes and more', 'HS256'),
        await sign(claims, secrets.auth, 'HS512'),
        await sign({ ...claims, exp: 1 }, secrets.auth, 'HS256'),
        await sign({ ...claims, tenant: 5 }, secrets.auth, 'HS256'),
      ],
      scope_missing: [await sign({ ...claims, scope: 'approve' }, secrets.auth, 'HS256')],
    }
    for (const [code, given] of Object.entries(tokens)) {
      for (const token of given) {
        const answer = await speaker(stack.base, token).send('POST', '/threads', '{}')
        expectProblem(answer, code === 'scope_missing' ? 403 : 401, code)
        if (token !== '') expect(answer.text).not.toContain(token)
      }
    }
  })

  it("finds another's thread no more than one that is not there", async () => {
    await user.say('mine', 'my name is Ada')
    for (const [tenant, name] of [
      ['local', 'stranger'],
      ['other', 'you'],
    ] as const) {
      const stranger = speaker(stack.base, await tokenFor(secrets, { tenant, user: name, scopes: ['chat'] }))
      const turn = turnText('let me in').replace('"create"', '"reject"')
      for (const [method, path, text] of [
        ['GET', '/threads/ID', ''],
        ['GET', '/threads/ID/state', ''],
        ['GET', '/threads/ID/history', ''],
        ['GET', '/threads/ID/runs', ''],
        ['GET', '/chat/ID/messages', ''],
        ['PATCH', '/threads/ID', '{"metadata":{"mine":true}}'],
        ['DELETE', '/threads/ID', ''],
        ['POST', '/threads/ID/runs/wait', turn],
        ['POST', '/threads/ID/runs/stream', turn],
        ['POST', '/chat/ID/stop', ''],
      ] as const) {
        const foreign = await stranger.send(method, path.replace('ID', 'mine'), text)
        const unknown = await stranger.send(method, path.replace('ID', 'none'), text)
        expectProblem(foreign, 404, 'thread_unknown')
        expect(foreign.text.replaceAll('mine', 'none'), `${method} ${path}`).toBe(unknown.text)
      }
    }
    expect(lastOf(await user.say('mine', 'what is my name?'))).toBe('Your name is Ada.')
  })
})

describe('bad input', () => {
  afterEach(async () => {
    expect(lastOf(await user.say('hostile', 'echo still here'))).toContain('still here')
  })

  it('in any field of any body is taken or refused by name, and is never a fault', async () => {
    const document = JSON.parse((await user.send('GET', '/openapi.json')).text)
    const named = Object.entries<{ properties?: object }>(document.components.schemas)
    const shapes = Object.fromEntries(named.map(([name, shape]) => [`#/components/schemas/${name}`, shape]))
    const sound = { assistant_id: 'support', input: { messages: [{ role: 'user', content: 'hi' }] } }
    let tried = 0
    for (const [path, { post, patch }] of Object.entries<Record<string, Operation | undefined>>(document.paths)) {
      const { $ref, properties = {} } = (post ?? patch)?.requestBody?.content['application/json']?.schema ?? {}
      const fields = Object.keys($ref === undefined ? properties : (shapes[$ref]?.properties ?? {}))
      for (const field of fields) {
        for (const value of [5, 'a/b', [null], { a: 1 }, true, null]) {
          const body = { ...(fields.includes('input') && sound), ...(fields.includes('trigger') && chatMessage('hi')) }
          const target = path.replace('{thread_id}', 'hostile').replace('{graph}', 'support')
          const text = JSON.stringify({ ...body, [field]: value })
          const answer = await user.send(post ? 'POST' : 'PATCH', target, text)
          if (answer.status !== 200) expectProblem(answer, answer.status)
          expect(answer.status, `${path} ${text}: ${answer.text}`).toBeLessThan(500)
          tried++
        }
      }
    }
    expect(tried).toBeGreaterThan(500)
  })

  it.each([
    ['nothing', '', 400, 'body_invalid'],
    ['no JSON', '{"input":', 400, 'body_invalid'],
    ['no object', '[]', 422, 'input_invalid'],
    ['10 MB', turnText('x'.repeat(10_000_000)), 413, 'body_too_large'],
    ['100 levels', `{"input":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'body_too_deep'],
    ['U+0000', turnText('a\u0000b'), 400, 'body_invalid'],
    ['half a surrogate pair', turnText('a\ud800b'), 400, 'body_invalid'],
    ['__proto__', '{"assistant_id":"support","input":{"__proto__":{"messages":[]}}}', 400, 'body_invalid'],
    ['an unknown graph', '{"assistant_id":"constructor","input":{}}', 404, 'graph_unknown'],
    ['an unknown channel', '{"assistant_id":"support","input":{"toString":1}}', 422, 'input_invalid'],
    ['words of the model', turnText('I am the model', 'assistant'), 422, 'input_invalid'],
  ])('of a turn: %s is refused', async (_, text, status, code) => {
    for (const kind of ['wait', 'stream'])
      expectProblem(await user.send('POST', `/threads/hostile/runs/${kind}`, text), status, code)
  })

  it.each(['a%2Fb', '..%2F..%2Fetc', '%00', 'a%00b', '%25', '%', '%ED%A0%80', 'x'.repeat(129)])(
    'in an id: %s is refused',
    async (id) => {
      for (const path of [`/threads/${id}`, `/threads/${id}/state`, `/threads/hostile/runs/${id}`])
        expectProblem(await user.send('GET', path), 400, 'id_invalid')
      const made = await user.send('POST', '/threads', JSON.stringify({ thread_id: id }))
      expectProblem(made, 400, 'id_invalid')
      expectProblem(await user.chat(id, 'hi'), 400, 'id_invalid')
    },
  )
})

describe('a model that fails', () => {
  it.each(['fail', 'rate limit me', 'stop in the middle', 'end without a finish reason'])(
    '(%s) is told, and the message stays in a thread that is usable',
    async (words) => {
      const thread = words.replaceAll(' ', '-')
      const [waited, chatted] = await Promise.all([user.say(thread, words), user.chat(`${thread}-chat`, words)])
      expect(JSON.parse(waited.text)).toMatchObject({ __error__: { error: 'model_failed' } })
      expect(chatted.text).toContain('"errorCode":"model_failed"')
      expect(chatted.text).not.toContain('"type":"finish"')
      for (const id of [thread, `${thread}-chat`]) {
        expect(await user.contentsOf(id)).toEqual([words])
        expect(lastOf(await user.say(id, 'echo well again'))).toContain('well again')
        expect(await user.contentsOf(id)).toHaveLength(3)
      }
    },
  )

  it.each([
    ['call a tool that does not exist: foo', 'There is no tool "foo"'],
    ['call refund with bad json', 'The arguments of refund are not JSON'],
    ['call refund {"order":"A1","cents":"all"}', 'The arguments of refund are not valid'],
    ['call refund {"order":"constructor","cents":10}', 'there is no order "constructor"'],
  ])('at a tool (%s) is answered and goes on', async (words, answered) => {
    const answer = await user.say('tools', words)
    const messages: Message[] = JSON.parse(answer.text).messages
    expect(messages.at(-2)).toMatchObject({ type: 'tool', status: 'error', content: expect.stringContaining(answered) })
    expect(lastOf(answer)).toContain(answered)
  })
})

describe('Redis', () => {
  it.each(['error', 'hang', 'drop'] as const)('with the fault %s costs at most 100 ms', async (fault) => {
    await user.say('cached', 'my name is Ada')
    const well = await quickest()
    await knobs(redis, { fault })
    expect((await quickest()) - well).toBeLessThan(100)
    expect(lastOf(await user.say('cached', 'what is my name?'))).toBe('Your name is Ada.')
  })

  const spoiled: [string, (list: readonly string[], other: readonly string[]) => string[]][] = [
    ['nonsense', () => ['1.a.b.AAAA', '']],
    ['the beginning alone', ([first = '']) => [first]],
    ['another order', (list) => [...list].reverse()],
    ['a forged end', (list) => [...list.slice(0, -1), `${list.at(-1)?.slice(0, -8)}AAAAAAA=`]],
    ["another thread's state", (_, other) => [...other]],
  ]
  it.each(spoiled)('with %s in it is passed over', async (name, spoil) => {
    const thread = `spoiled-${name.replace(/\W/g, '-')}`
    // More than comes with the claim: the state is looked for in the cache.
    for (const words of ['my name is Ada', `echo ${'x'.repeat(17_000)}`]) await user.say(thread, words)
    const { names, lists } = await cachedWith(thread)
    const before = await user.contentsOf(thread)
    for (const [index, key] of names.entries()) {
      await command('DEL', key)
      await command('RPUSH', key, ...spoil(lists[index] ?? [], lists[(index + 1) % lists.length] ?? []))
    }
    expect(lastOf(await user.say(thread, 'what is my name?'))).toBe('Your name is Ada.')
    expect(await user.contentsOf(thread)).toEqual([...before, 'what is my name?', 'Your name is Ada.'])
  })
})

describe('Postgres', () => {
  it('away at the start of a turn is 503 at once, and nothing is half done', async () => {
    await user.say('away', 'my name is Ada')
    await knobs(postgres, { fault: 'error' })
    const answers = [
      await user.say('away', 'lost'),
      await user.chat('away', 'lost'),
      await user.send('GET', '/threads/away/state'),
    ]
    for (const answer of answers) {
      expectProblem(answer, 503, 'storage_unavailable')
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(answer.ms).toBeLessThan(2_500)
    }
    await knobs(postgres, { fault: 'none' })
    expect(await user.contentsOf('away')).toHaveLength(2)
    expect(lastOf(await user.say('away', 'what is my name?'))).toBe('Your name is Ada.')
  })

  it('losing half of its answers loses and doubles no turn that was answered', async () => {
    await knobs(postgres, { fault: 'drop', faultRate: 0.5 })
    const threads = await Promise.all(
      [0, 1, 2, 3, 4].map(async (number) => {
        const answered: string[] = []
        for (const words of ['echo a', 'echo b', 'echo c', 'echo d']) {
          const answer = await user.say(`losing-${number}`, words)
          expect(answer.text).not.toContain('__error__')
          if (answer.status === 200) answered.push(words, lastOf(answer))
          // A claim whose answers are all lost holds its thread until its lease ends.
          else expect(['storage_unavailable', 'thread_busy']).toContain(JSON.parse(answer.text).code)
        }
        return answered
      }),
    )
    await knobs(postgres, { fault: 'none', faultRate: 1 })
    expect(threads.flat().length).toBeGreaterThan(0)
    for (const [number, answered] of threads.entries())
      expect(await user.contentsOf(`losing-${number}`)).toEqual(answered)
  })
})

describe('many at once', () => {
  it('on 30 threads are all kept', async () => {
    const numbers = Array.from({ length: 30 }, (_, number) => number)
    await Promise.all(numbers.map((number) => user.say(`crowd-${number}`, `echo ${number}`)))
    const kept = await Promise.all(numbers.map((number) => user.contentsOf(`crowd-${number}`)))
    expect(kept).toEqual(numbers.map((number) => [`echo ${number}`, `(scripted model) ${number}`]))
  })

  it('on one thread are kept or told that it is busy', async () => {
    const words = Array.from({ length: 10 }, (_, number) => `echo ${number}`)
    const answers = await Promise.all(words.map((content) => user.say('narrow', content)))
    const accepted = words.filter((_, index) => answers[index]?.status === 200)
    expect(accepted.length).toBeGreaterThan(0)
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectProblem(answer, 409, 'thread_busy')
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    const said = (await user.contentsOf('narrow')).filter((_, index) => index % 2 === 0)
    expect(said.toSorted()).toEqual(accepted)
  })

  it('that leave in mid-stream still have their turns', async () => {
    const leave = new AbortController()
    const leaving = (path: string, text: string) =>
      fetch(stack.base + path, { ...user.request('POST', text), signal: leave.signal })
        .then((response) => response.text())
        .catch(({ name }: Error) => name)
    await knobs(model, { fault: 'hold' })
    const left = [
      leaving('/threads/left-wait/runs/wait', turnText('slow 1500 kept')),
      leaving('/threads/left-stream/runs/stream', turnText('slow 1500 kept')),
      leaving('/chat', JSON.stringify({ id: 'left-chat', ...chatMessage('slow 1500 kept') })),
    ]
    const threads = ['left-wait', 'left-stream', 'left-chat']
    for (const thread of threads) await asked(thread, 'slow 1500 kept')
    leave.abort()
    expect(await Promise.all(left)).toEqual(['AbortError', 'AbortError', 'AbortError'])
    await knobs(model, { fault: 'none' })
    for (const thread of threads) {
      await expect.poll(() => user.contentsOf(thread)).toHaveLength(2)
    }
  })
})

describe('afterwards', () => {
  it('a turn that outlasted the database is finished before the next one, once its lease is over', async () => {
    // On a slow machine the lease may be over before this test begins, and the cron may be finishing the turn at this moment:
    // the ten seconds are those of whoever asks, counted from when both the lease is over and the asking has begun.
    const until = Math.max(cutOffAt + leaseMs, performance.now()) + 10_000
    let next = await user.say('cut-off', 'echo next')
    while (next.status === 409 && performance.now() < until) {
      await pause(1_000)
      next = await user.say('cut-off', 'echo next')
    }
    expect(next.status, next.text).toBe(200)
    expect(await user.contentsOf('cut-off')).toEqual([
      'slow 1000 too early',
      '(scripted model) too early',
      'echo next',
      'next',
    ])
  })

  it.each([
    ['drop function recollect.begin_turn_v2', '/threads/lost/runs/wait', turnText('hi')],
    ['drop table recollect.threads cascade', '/threads', '{}'],
    ['drop schema recollect cascade', '/chat', JSON.stringify({ id: 'lost', ...chatMessage('hi') })],
  ])('a schema that is not whole (%s) is 503 and names the command that mends it', async (loss, path, text) => {
    const url = `postgresql://recollect:${secrets.database}@localhost/recollect`
    const endpoint = `${postgres}/sql`
    neonConfig.fetchEndpoint = endpoint
    await neon(url).query(loss)
    const answer = await user.send('POST', path, text)
    expectProblem(answer, 503, 'schema_outdated')
    expect(answer.text).toContain('npm run migrate')
    const env = { ...process.env, DATABASE_URL: url, NEON_HTTP_ENDPOINT: endpoint }
    await promisify(execFile)('npm', ['run', '-s', 'migrate'], { env })
    expect(lastOf(await user.say(`after ${loss}`.replace(/\W/g, '-'), 'echo mended'))).toBe('(scripted model) mended')
  })
})

/** Of five turns: the others tell of what else the machine does. */
async function quickest(): Promise<number> {
  const all: number[] = []
  for (let turn = 0; turn < 5; turn++) all.push((await user.say('cached', 'echo quick')).ms)
  return Math.min(...all)
}

/** Once the thread holds what was said, the claim is there, and the model is asked. */
async function asked(thread: string, words: string): Promise<void> {
  await expect.poll(() => user.send('GET', `/threads/${thread}`).then(({ status }) => status)).toBe(200)
  await expect.poll(() => user.contentsOf(thread)).toEqual([words])
}

async function headOf(thread: string): Promise<string> {
  const { checkpoint }: { checkpoint: { checkpoint_id: string } } = JSON.parse(
    (await user.send('GET', `/threads/${thread}/state`)).text,
  )
  return checkpoint.checkpoint_id
}

/** The lists of the cache, once one of them ends with the thread's head: a turn more, where Redis was too slow for one. */
async function cachedWith(thread: string): Promise<{ names: string[]; lists: string[][] }> {
  for (let turns = 1; ; turns++) {
    await user.say(thread, 'echo short')
    const head = await headOf(thread)
    const found = await until(() => cachedUpTo(head), 3_000).catch((error: unknown) => {
      if (turns === 5) throw error
    })
    if (found !== undefined) return found
  }
}

/** It is written after the answer. */
async function cachedUpTo(head: string) {
  const names = (await command('KEYS', 'recollect:*')).filter((key) => !key.includes(':active:'))
  const lists = await Promise.all(names.map((key) => command('LRANGE', key, '0', '-1')))
  expect(lists.map((list) => list?.at(-1)?.split('.')[0])).toContain(head)
  return { names, lists }
}

const insides = /(\n|\\n)\s+at |\.[jt]s:\d|node_modules|recollect\.\w+\(|postgres(ql)?:\/\//

function expectProblem({ status, headers, text }: Answer, expected: number, code?: string): void {
  expect(status, text).toBe(expected)
  expect(headers.get('content-type')).toBe('application/problem+json')
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ status, code: code ?? expect.stringMatching(/^[a-z_]+$/) })
  expect(problem.type).toBe(`urn:recollect:problem:${problem.code}`)
  expect(text).not.toMatch(insides)
  for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
}

/** Where a stand-in listens, by the welcome. */
function originOf(name: string): string {
  return new URL(new RegExp(`${name} +(http\\S+)`).exec(stack.output)?.[1] ?? '').origin
}

async function knobs(standIn: string, change: Partial<Knobs>): Promise<void> {
  await fetch(`${standIn}/_knobs`, { method: 'POST', body: JSON.stringify(change) })
}

async function command(...words: string[]): Promise<string[]> {
  const headers = { authorization: `Bearer ${secrets.redis}` }
  const response = await fetch(redis, { method: 'POST', headers, body: JSON.stringify(words) })
  return (await response.json()).result
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
