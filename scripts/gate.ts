// The one gate: format and lint, types, then every test; one line each, stopping at the first that fails. Names as
// arguments run only those steps. The last line is always `N passed, N failed`, counting tests and static checks alike.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

interface Step {
  name: string
  /** A script of node_modules and its arguments. */
  command: readonly string[]
  /** A step that hangs is ended, so that the gate always answers; one that a slow machine goes on with is not. */
  limitMinutes: number
  vitest?: true
}

interface Counts {
  passed: number
  failed: number
  skipped: readonly string[]
}

const vitest = (project: string, limitMinutes: number): Step => ({
  name: project,
  command: ['vitest/vitest.mjs', 'run', '--project', project, '--reporter=default'],
  limitMinutes,
  vitest: true,
})

const steps: readonly Step[] = [
  {
    name: 'format',
    command: ['@biomejs/biome/bin/biome', 'ci', '--colors=off', '--error-on-warnings', '.'],
    limitMinutes: 1,
  },
  { name: 'types', command: ['typescript/bin/tsc', '-p', '.'], limitMinutes: 2 },
  vitest('unit', 12),
  vitest('timing', 2),
  vitest('workerd', 3),
  vitest('e2e', 8),
]

const scratch = mkdtempSync(join(tmpdir(), 'recollect-gate-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  process.stderr.write(`Unknown step ${unknown.join(', ')}; there are ${steps.map(({ name }) => name).join(', ')}.\n`)
  process.exit(2)
}

let passed = 0
let failed = 0
for (const step of steps) {
  if (chosen.length > 0 && !chosen.includes(step.name)) continue
  const counts = await run(step)
  passed += counts.passed
  failed += counts.failed
  if (failed > 0) break
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0

async function run(step: Step): Promise<Counts> {
  const startedAt = performance.now()
  const report = join(scratch, `${step.name}.json`)
  const reporter = step.vitest ? ['--reporter=json', `--outputFile.json=${report}`] : []
  const { output, ok } = await execute([...step.command, ...reporter], step.limitMinutes * 60_000)
  const counts = step.vitest ? testCounts(report, ok) : { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [] }
  if (counts.failed > 0) process.stdout.write(output)
  const seconds = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  const skips = counts.skipped.length > 0 ? `, ${counts.skipped.length} skipped` : ''
  process.stdout.write(
    `${step.name.padEnd(8)}${seconds.padStart(8)}  ${counts.passed} passed, ${counts.failed} failed${skips} in this step\n`,
  )
  for (const name of counts.skipped) process.stdout.write(`${' '.repeat(18)}skipped: ${name}\n`)
  return counts
}

function execute(command: readonly string[], limitMs: number): Promise<{ output: string; ok: boolean }> {
  const [script = '', ...args] = command
  // A group of its own: what a step has started ends with it when it is ended.
  const child = spawn(process.execPath, [join('node_modules', script), ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nobody of the group is left.
    }
  }
  // A server that a test forgot would hold the pipes, and with them the gate.
  child.on('exit', () => {
    endGroup()
    setTimeout(() => {
      child.stdout.destroy()
      child.stderr.destroy()
    }, 1000).unref()
  })
  const interrupted = () => {
    endGroup()
    process.exit(130)
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const limit = setTimeout(() => {
    output += `\nStopped: not finished after ${limitMs / 60_000} minutes.\n`
    endGroup()
  }, limitMs)
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      resolve({ output, ok: code === 0 })
    })
  })
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[]
}

function testCounts(report: string, ok: boolean): Counts {
  const { numPassedTests, numFailedTests, testResults } = read(report)
  // A file that could not be loaded, or an error outside any test, has no failed test of its own.
  const failedTests = ok ? numFailedTests : Math.max(numFailedTests, 1)
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => `${relative(process.cwd(), name)}: ${fullName}`),
  )
  return { passed: numPassedTests, failed: failedTests, skipped }
}

function read(report: string): VitestReport {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] }
  }
}
