// Webhooks from the command line: an endpoint is made, listed, given a new secret, and deleted; a key is made.
import { afterEach, expect, test } from 'vitest'
import { type Operated, operated } from './operated.ts'

let running: Operated | undefined
afterEach(() => running?.server.close())

test('endpoints are made, listed, rotated and deleted; a secret is shown once', async () => {
  running = await operated()
  const { cli, data } = running
  const made = (await data('webhook-add', 'https://example.com/hook', '--events', 'run.failed')) as {
    id: string
    secret: string
  }
  expect(made.secret).toMatch(/^whsec_/)
  const listed = (await cli('webhooks')).stdout
  expect(listed).toContain('https://example.com/hook')
  expect(listed).toContain('run.failed')
  expect(listed).not.toContain('whsec_')
  const rotated = (await cli('webhook-rotate', made.id)).stdout
  expect(rotated).toMatch(/whsec_/)
  expect(rotated).not.toContain(made.secret)
  expect(await data('webhook-deliveries', made.id)).toEqual([])
  expect(await cli('webhook-redeliver', made.id, 'wd_none')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('webhook_unknown'),
  })
  expect(await cli('webhook-delete', made.id)).toMatchObject({ code: 0, stdout: `Deleted ${made.id}.\n` })
  expect(await data('webhooks')).toEqual([])
})

test('a key is made, and a URL that is not called is refused', async () => {
  running = await operated()
  expect((await running.cli('webhook-key')).stdout).toMatch(/whsec_/)
  const refused = await running.cli('webhook-add', 'https://169.254.169.254/latest')
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('input_invalid') })
})
