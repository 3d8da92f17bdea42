// The example page in a real browser, on another origin than its server: a message, a streamed answer, a reload.
import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { serveChat } from '../../examples/chat/serve.ts'
import { chatApp, onLoopback, PromptedModel, tokenOf } from '../http/chat-app.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update']
const args = ['--no-sandbox', '--disable-gpu', '--disable-sync', ...quiet]

async function openPage(model: PromptedModel): Promise<Page> {
  const server = await onLoopback(chatApp({ model }).app)
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
  return page
}

async function shown(page: Page, ...texts: readonly string[]): Promise<void> {
  await expect.poll(() => page.locator('article').allTextContents(), { timeout: 10_000 }).toEqual(texts)
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
    const page = await openPage(model)
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
