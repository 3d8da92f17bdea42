// `npm run bench -- NAME [--json]`: measurements, one a file. With --json nothing but one JSON object on standard output.
// `--postgres server` and `--redis server` put a real server behind the stand-in, in place of what the local stack embeds.
// `peers` takes `--plot FILE` too, and draws its figures there; `memory` takes `--data FILE`, and reads its memories and questions there;
// `recall` takes `--large`, and goes on to 100,000 items.
import { parseArgs } from 'node:util'
import { isRecollectError, messageOf } from '../src/kernel/errors.ts'
import { approvals } from './approvals.ts'
import { context } from './context.ts'
import { executor } from './executor.ts'
import { memory } from './memory.ts'
import { peers } from './peers.ts'
import { recall } from './recall.ts'
import { roundtrips } from './roundtrips.ts'
import type { ServerChoices } from './servers.ts'
import { speculation } from './speculation.ts'
import { storage } from './storage.ts'
import { table } from './table.ts'
import { throughput } from './throughput.ts'

interface Options extends ServerChoices {
  readonly plot: string | undefined
  readonly data: string | undefined
  readonly large: boolean
}

type Bench = (options: Options) => Promise<Record<string, unknown>>

const benches: Readonly<Record<string, Bench>> = {
  ...{ roundtrips, storage, executor, throughput, speculation, peers },
  ...{ approvals, context, memory, recall },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    postgres: { type: 'string', default: 'embedded' },
    redis: { type: 'string', default: 'embedded' },
    plot: { type: 'string' },
    data: { type: 'string' },
    large: { type: 'boolean', default: false },
  },
})
const [name = ''] = positionals
const bench = benches[name]
if (bench === undefined) {
  process.stderr.write(`There is no bench "${name}". The benches are: ${Object.keys(benches).join(', ')}.\n`)
  process.exit(2)
}
for (const option of ['postgres', 'redis'] as const) {
  if (['embedded', 'server'].includes(values[option])) continue
  process.stderr.write(`--${option} is "embedded" or "server", not "${values[option]}".\n`)
  process.exit(2)
}
try {
  const servers = { postgres: values.postgres === 'server', redis: values.redis === 'server' }
  const figures = await bench({ ...servers, plot: values.plot, data: values.data, large: values.large })
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : table(figures))
  process.exit(0)
} catch (error) {
  const given = isRecollectError(error) && error.code === 'input_invalid'
  const said = error instanceof Error && !given ? error.stack : messageOf(error)
  process.stderr.write(`bench ${name} could not measure: ${said}\n`)
  process.exit(1)
}
