// A copy of the project in which guards are taken away and tests run, so that nothing of the project itself is touched.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Mutant, mutated } from './mutant.ts'

export interface Verdict {
  readonly passed: readonly string[]
  readonly failed: readonly string[]
}

export interface Laboratory {
  /** Runs the tests whose names begin with one of `names`; all of the file without. */
  run(file: string, names: readonly string[]): Promise<Verdict>
  /** The same, without the guard. */
  without(mutant: Mutant, names: readonly string[]): Promise<Verdict>
  close(): void
}

const copied = [
  'src',
  'test',
  'local',
  'workers',
  'bench',
  'docs',
  'schema.sql',
  'package.json',
  'tsconfig.json',
  'wrangler.toml',
]
const limitMs = 120_000
const configuration = `export default {
  test: { include: ['test/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 60_000 },
}
`

export function laboratory(): Laboratory {
  const folder = mkdtempSync(join(tmpdir(), 'recollect-mutants-'))
  for (const name of copied) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'vitest.config.ts'), configuration)
  const run = (file: string, names: readonly string[]) => verdictOf(folder, file, names)
  return {
    run,
    async without(mutant, names) {
      const path = join(folder, mutant.file)
      const whole = readFileSync(path, 'utf8')
      writeFileSync(path, mutated(whole, mutant))
      try {
        return await run(mutant.tests, names)
      } finally {
        writeFileSync(path, whole)
      }
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function verdictOf(folder: string, file: string, names: readonly string[]): Promise<Verdict> {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const chosen = names.length > 0 ? ['-t', names.map(escaped).join('|')] : []
  const vitest = [resolve('node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--reporter=json']
  await ended([...vitest, `--outputFile.json=${report}`, ...chosen, file])
  const { testResults }: Report = JSON.parse(readFileSync(report, 'utf8'))
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  const titles = (status: string) => results.filter((each) => each.status === status).map(({ title }) => title)
  return { passed: titles('passed'), failed: titles('failed') }
}

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { title: string; status: string }[] }[]
}

/** How it ends says nothing: its report does. One that hangs is ended, with all that it started. */
function ended(parameters: readonly string[]): Promise<void> {
  const env = { ...process.env, NO_COLOR: '1' }
  const child = spawn(process.execPath, parameters, { detached: true, stdio: 'ignore', env })
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nobody of the group is left.
    }
  }
  process.once('exit', end)
  const limit = setTimeout(end, limitMs)
  return new Promise((done) => {
    child.once('exit', () => {
      clearTimeout(limit)
      process.off('exit', end)
      end()
      done()
    })
  })
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
