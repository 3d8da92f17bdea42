// `npm run bench -- NAME [--json]`: measurements, one a file. With --json nothing but one JSON object on standard output.
// `peers` takes `--plot FILE` too, and draws its figures there.
import { parseArgs } from 'node:util'
import { executor } from './executor.ts'
import { peers } from './peers.ts'
import { roundtrips } from './roundtrips.ts'
import { storage } from './storage.ts'
import { table } from './table.ts'

type Bench = (options: { readonly plot?: string | undefined }) => Promise<Record<string, unknown>>

const benches: Readonly<Record<string, Bench>> = { roundtrips, storage, executor, peers }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, plot: { type: 'string' } },
})
const [name = ''] = positionals
const bench = benches[name]
if (bench === undefined) {
  process.stderr.write(`There is no bench "${name}". The benches are: ${Object.keys(benches).join(', ')}.\n`)
  process.exit(2)
}
try {
  const figures = await bench(values)
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : table(figures))
  process.exit(0)
} catch (error) {
  process.stderr.write(`bench ${name} could not measure: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}
