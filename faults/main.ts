// `npm run faults -- [PART…] [--json] [--seeds N] [--only TESTS]`: breaks the turn protocol on purpose, and counts. With --json nothing but one JSON object on standard output.
import { parseArgs } from 'node:util'
import { approvals } from './approvals.ts'
import { forks } from './forks.ts'
import { hot } from './hot.ts'
import { kills } from './kills.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { mutants } from './mutants.ts'
import { orphans } from './orphans.ts'
import { pairs } from './pairs.ts'
import { type Figures, type Part, Skipped } from './part.ts'
import { single } from './single.ts'
import { table } from './table.ts'
import { terminated } from './terminated.ts'

/** Each row at once: of a hundred turns in line most of the time is waiting, and of a killed Worker's lease too. */
const stages: readonly Readonly<Record<string, Part>>[] = [
  { single },
  { pairs },
  { approvals },
  { forks },
  { memory },
  { load },
  { hot, kills },
  { terminated },
  { orphans },
  { mutants },
]
const names = stages.flatMap((stage) => Object.keys(stage))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
})
const seeds = Number(values.seeds)
const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0 || !Number.isInteger(seeds) || seeds < 1) {
  process.stderr.write(
    `npm run faults -- [PART…] [--json] [--seeds N] [--only TESTS]. The parts are: ${names.join(', ')}.\n`,
  )
  process.exit(2)
}

const say = (line: string) => process.stderr.write(`${line}\n`)
const found = new Map<string, Figures>()
let failed = false
for (const stage of stages) {
  const chosen = Object.entries(stage).filter(([name]) => positionals.length === 0 || positionals.includes(name))
  await Promise.all(chosen.map(([name, part]) => measure(name, part)))
}
const figures = Object.fromEntries(
  names.flatMap((name) => {
    const measured = found.get(name)
    return measured === undefined ? [] : [[name, measured]]
  }),
)
process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : table(figures))
process.exit(failed ? 1 : 0)

async function measure(name: string, part: Part): Promise<void> {
  const startedAt = performance.now()
  try {
    const measured = await part({ seeds, say, only: values.only })
    const tookSeconds = Math.round((performance.now() - startedAt) / 1_000)
    found.set(name, { ...measured, tookSeconds })
    say(`${name} took ${tookSeconds} s`)
  } catch (error) {
    if (error instanceof Skipped) say(`${name} is skipped: ${error.message}`)
    else {
      failed = true
      say(`${name} could not measure: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
}
