// Whom the CLI speaks to, as whom, and how it fails.
import { type ExecFileException, execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { recollect as run } from '../../cli/run.ts'
import { localSecrets } from '../../local/secrets.ts'
import { type Loopback, loopback } from '../e2e/loopback.ts'
import { deployment, tokenFor } from '../http/deployment.ts'
import { operated } from './operated.ts'

const recollect = (words: readonly string[], environment: Record<string, string> = {}) => run(words, environment)
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function served(fetch: (request: Request) => Response | Promise<Response>): Promise<Loopback> {
  const server = await loopback(fetch)
  closing.push(() => server.close())
  return server
}

test('against the local stack it makes its own token, of whomever it is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'recollect-cli-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const { auth } = await localSecrets(folder)
  const { app } = deployment({ auth: { secret: auth } })
  const { url } = await served((request) => app.fetch(request))
  const here = ['--url', url, '--data', folder]
  expect(await recollect(['threads', ...here])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^THREAD/) })
  const withoutScope = await recollect(['threads', ...here, '--scope', 'approve'])
  expect(withoutScope).toMatchObject({ code: 1, stderr: expect.stringContaining('scope_missing') })
  const elsewhere = await recollect(['threads', '--url', url, '--data', join(folder, 'none')])
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('npm run dev') })
})

test('a token that is not good, and a thread of somebody else, are refused in the words of the service', async () => {
  const { server, run: began, cli } = await operated({ sub: 'sam', scope: 'chat' })
  closing.push(() => server.close())
  await began('abc', { log: 'in' })
  expect(await cli('state', 't1')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('thread_unknown'),
  })
  const failed = await recollect(['state', 't1', '--json'], { RECOLLECT_URL: server.url, RECOLLECT_TOKEN: 'nonsense' })
  expect(failed).toMatchObject({ code: 1, stdout: '' })
  expect(JSON.parse(failed.stderr)).toMatchObject({ status: 401, code: 'token_invalid' })
})

test('an operator without the threads sees them all, and cannot run on them', async () => {
  const { server, run: began, cli } = await operated({ sub: 'olga', scope: 'operate' })
  closing.push(() => server.close())
  await began('abc', { log: 'in' })
  expect((await cli('history', 't1')).code).toBe(0)
  expect(await cli('replay', 't1', '1')).toMatchObject({ code: 1, stderr: expect.stringContaining('scope_missing') })
})

test('the token goes to nobody else: not unencrypted, and not where a redirect points', async () => {
  const far = await recollect(['threads', '--url', 'http://agent.example.com'], { RECOLLECT_TOKEN: 'secret' })
  expect(far).toMatchObject({ code: 2, stderr: expect.stringContaining('https') })
  expect(await recollect(['threads', '--url', 'https://agent.example.com'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('RECOLLECT_TOKEN'),
  })
  const seen: string[] = []
  const thief = await served((request) => {
    seen.push(request.headers.get('authorization') ?? '')
    return new Response('[]')
  })
  const { url } = await served(() => Response.redirect(`${thief.url}/threads/search`, 307))
  expect((await recollect(['threads', '--url', url], { RECOLLECT_TOKEN: await tokenFor() })).code).toBe(3)
  expect(seen).toEqual([])
})

test('where nobody answers, or something else does, it says so and what to do', async () => {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  const environment = { RECOLLECT_TOKEN: 'any' }
  const nobody = await recollect(['threads', '--url', `http://127.0.0.1:${port}`], environment)
  expect(nobody).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('npm run dev') })
  const { url } = await served(() => new Response('<html>hello</html>'))
  const other = await recollect(['threads', '--url', url], environment)
  expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('that is no recollect') })
})

test.each([
  [['nonsense'], /no command "nonsense".*approvals/],
  [['diff', 't1', '1'], /Usage: .* diff THREAD FROM TO/],
  [['state'], /Usage: .* state THREAD \[CHECKPOINT\]/],
  [['state', '..'], /no id/],
  [['threads', '--stats', 'idle'], /--stats/],
  [['threads', '--limit', 'many'], /--limit must be a whole number/],
  [['threads', '--metadata', '[]'], /--metadata must be a JSON object/],
  [['update', 't1'], /--values/],
  [['update', 't1', '--values', '{word'], /not JSON/],
  [['approve', 'ap_1'], /--decision approve, reject, edit or respond/],
  [['approve', 'ap_1', '--decision', 'maybe'], /--decision approve/],
  [['approve', 'ap_1', '--decision', 'edit'], /needs --arguments/],
  [['approve', 'ap_1', '--decision', 'approve', '--reason', 'x'], /--reason does not go/],
  [['approve', 'ap_1', '--answer', 'red'], /--answer '"red"'/],
])('%j is not sent, and the message says what is right', async (words, told) => {
  const { code, stdout, stderr } = await recollect(words, { RECOLLECT_TOKEN: 'any' })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(told)
})

test('the process prints, and ends with its code', async () => {
  const { server, run: began } = await operated()
  closing.push(() => server.close())
  await began('abc', { log: 'in' })
  const environment = { RECOLLECT_URL: server.url, RECOLLECT_TOKEN: await tokenFor() }
  const processOf = (...words: readonly string[]) =>
    new Promise<unknown[]>((resolve) => {
      const options = { env: { ...process.env, ...environment } }
      const done = (error: ExecFileException | null, out: string, err: string) => resolve([error?.code ?? 0, out, err])
      execFile(process.execPath, ['--no-warnings', 'cli/main.ts', ...words], options, done)
    })
  expect(await processOf('history', 't1', '--limit', '1')).toEqual([0, expect.stringContaining('CHECKPOINT'), ''])
  expect(await processOf('history', 't2')).toEqual([1, '', expect.stringContaining('thread_unknown')])
})

test('help names every command, and a command its options', async () => {
  expect((await recollect([])).stdout).toMatch(/approvals.*\n.*approval APPROVAL.*\n.*approve APPROVAL/)
  expect((await recollect(['approve', '--help'])).stdout).toContain('--decision DECISION')
})
