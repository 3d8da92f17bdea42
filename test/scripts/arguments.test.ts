// Scripts that are called in a way they do not know: they say so, and do nothing.
import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'

const scripts = ['scripts/reindex.ts', 'scripts/migrate.ts', 'scripts/deploy.ts', 'local/token.ts']

test.each(scripts)('%s says what it takes, without a stack', async (script) => {
  const said = await new Promise((resolve) => {
    execFile(process.execPath, [script, '--nope'], { env: { NODE_NO_WARNINGS: '1' } }, (error, stdout, stderr) =>
      resolve([error?.code, stdout, stderr]),
    )
  })
  expect(said).toEqual([1, '', expect.stringMatching(/^Unknown option '--nope'[^\n]*\nUsage: npm run [^\n]+\n$/)])
})
