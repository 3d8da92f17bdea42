// The example page in a real browser, on another origin than its server: a message, a streamed answer, a reload, an approval.
import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import * as z from 'zod/mini'
import { serveChat } from '../../examples/chat/serve.ts'
import { type Tool, tool } from '../../src/index.ts'
import { chatApp, onLoopback, PromptedModel, tokenOf } from '../http/chat-app.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update']
const args = ['--no-sandbox', '--disable-gpu', '--disable-sync', ...quiet]

async function openPage(model: PromptedModel, tools: readonly Tool[] = []): Promise<{ page: Page; api: string }> {
  const server = await onLoopback(chatApp({ model, tools }).app)
  const pages = await serveChat()
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args })
  onTestFinished(async () => {
    await browser.close()
    await Promise.all([server.close(), pages.close()])
  })
  const page = await browser.newPage()
  await page.goto(
    `${pages.url}/#${new URLSearchParams({ api: server.url, thread: 't', token: await tokenOf('alex') })}`,
  )
  return { page, api: server.url }
}

async function shown(page: Page, ...texts: readonly string[]): Promise<void> {
  await expect.poll(() => page.locator('article').allTextContents()).toEqual(texts)
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByPlaceholder('Say something').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

test.skipIf(executablePath === undefined)(
  executablePath === undefined
    ? 'the example page in a browser (skipped: no Chromium was found)'
    : 'the example page streams an answer, picks it up after a reload in mid-answer, and shows the thread again',
  async () => {
    const model = new PromptedModel()
    const { page } = await openPage(model)
    await say(page, 'Tell me a story.')
    model.say('Once ', 'upon ')
    await shown(page, 'Tell me a story.', 'Once upon ')
    await page.reload()
    await shown(page, 'Tell me a story.', 'Once upon ')
    model.say('a time.')
    model.finish()
    await shown(page, 'Tell me a story.', 'Once upon a time.')
    await page.reload()
    await shown(page, 'Tell me a story.', 'Once upon a time.')
    await say(page, 'Another.')
    model.say('No ')
    await shown(page, 'Tell me a story.', 'Once upon a time.', 'Another.', 'No ')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Send' }).waitFor()
    await page.reload()
    await shown(page, 'Tell me a story.', 'Once upon a time.', 'Another.')
    expect(model.aborted).toBe(1)
  },
)

const refund = tool('refund', {
  description: 'Refund an order.',
  input: z.object({ cents: z.number() }),
  approval: { answerer: 'owner' },
  run: ({ cents }) => `refunded ${cents}`,
})

test.skipIf(executablePath === undefined)(
  executablePath === undefined
    ? 'approvals in a browser (skipped: no Chromium was found)'
    : 'the example page asks before a tool runs: approved, denied, met again after a reload, decided elsewhere',
  async () => {
    const model = new PromptedModel()
    const { page, api } = await openPage(model, [refund])
    const outcome = async (text: string) => {
      await expect.poll(() => page.locator('output').last().textContent()).toBe(text)
    }
    const answered = async (text: string) => {
      model.say(text)
      model.finish()
      await expect.poll(() => page.locator('article').last().textContent()).toContain(text)
      await page.getByRole('button', { name: 'Send' }).waitFor()
    }
    model.call('c1', 'refund', { cents: 1 })
    await say(page, 'Refund one.')
    await page.getByText('{"cents":1}').waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await outcome('"refunded 1"')
    await answered('One is done.')

    model.call('c2', 'refund', { cents: 2 })
    await say(page, 'Refund two.')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.reload()
    await page.getByPlaceholder('Why not?').fill('too late')
    await page.getByRole('button', { name: 'Deny' }).click()
    await outcome('Denied. too late')
    await answered('Two is not done.')
    await page.reload()
    await outcome('Denied. too late')

    model.call('c3', 'refund', { cents: 3 })
    await say(page, 'Refund three.')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    const headers = { authorization: `Bearer ${await tokenOf('boss', { scope: 'approve' })}` }
    const asked = (await (await fetch(`${api}/approvals?status=pending`, { headers })).json()) as { id: string }[]
    const body = JSON.stringify({ answer: { decision: 'approve' } })
    expect((await fetch(`${api}/approvals/${asked[0]?.id}`, { method: 'POST', headers, body })).status).toBe(200)
    await outcome('"refunded 3"')
    await answered('Three is done.')
    expect(await page.locator('article').count()).toBe(6)
  },
)
