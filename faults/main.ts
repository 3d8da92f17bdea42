// `npm run faults -- [PART…] [--json] [--seeds N]`: breaks the turn protocol on purpose, and counts. With --json nothing but one JSON object on standard output.
import { parseArgs } from 'node:util'
import { hot } from './hot.ts'
import { kills } from './kills.ts'
import { load } from './load.ts'
import { mutants } from './mutants.ts'
import { orphans } from './orphans.ts'
import { pairs } from './pairs.ts'
import { type Figures, type Part, Skipped } from './part.ts'
import { single } from './single.ts'
import { table } from './table.ts'
import { terminated } from './terminated.ts'

const parts: Readonly<Record<string, Part>> = { single, pairs, load, hot, kills, terminated, orphans, mutants }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, seeds: { type: 'string', default: '20' } },
})
const seeds = Number(values.seeds)
const unknown = positionals.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0 || !Number.isInteger(seeds) || seeds < 1) {
  const names = Object.keys(parts).join(', ')
  process.stderr.write(`npm run faults -- [PART…] [--json] [--seeds N]. The parts are: ${names}.\n`)
  process.exit(2)
}

const say = (line: string) => process.stderr.write(`${line}\n`)
const figures: Record<string, Figures> = {}
let failed = false
for (const [name, part] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const startedAt = performance.now()
  try {
    const measured = await part({ seeds, say })
    const tookSeconds = Math.round((performance.now() - startedAt) / 1_000)
    figures[name] = { ...measured, tookSeconds }
    say(`${name} took ${tookSeconds} s`)
  } catch (error) {
    if (error instanceof Skipped) say(`${name} is skipped: ${error.message}`)
    else {
      failed = true
      say(`${name} could not measure: ${error instanceof Error ? error.stack : String(error)}`)
    }
  }
}
process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : table(figures))
process.exit(failed ? 1 : 0)
