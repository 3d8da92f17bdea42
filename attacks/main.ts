// `npm run attacks -- [--json]`: everything that must not make a tool run, tried on every road, and counted. With --json nothing but one JSON object on standard output.
import { parseArgs } from 'node:util'
import { postgresStorage } from '../faults/storage.ts'
import { postgresBinaries } from '../local/neon/throwaway-postgres.ts'
import { memoryCheckpointer } from '../src/adapters/memory/index.ts'
import { storm } from './storm.ts'
import { attackRows } from './table.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const installed = postgresBinaries() !== undefined
if (!installed) process.stderr.write('attacks runs in memory only: apt-get install postgresql\n')
const postgres = installed ? await postgresStorage(20) : undefined
const memory = memoryCheckpointer()
const checkpointer = () => postgres?.storage().checkpointer ?? memory
try {
  const rows = await attackRows(checkpointer())
  const wrong = rows.filter(({ executions, expected }) => executions !== expected).length
  const approvals = await storm([checkpointer(), checkpointer()], { approvals: 200, copies: 5 })
  const figures = { rows, wrong, approvals, on: installed ? 'Postgres' : 'memory' }
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : table(figures))
} finally {
  await postgres?.close()
}
process.exit(0)

function table({
  rows,
  wrong,
  approvals,
}: {
  rows: Awaited<ReturnType<typeof attackRows>>
  wrong: number
  approvals: Awaited<ReturnType<typeof storm>>
}): string {
  const lines = rows.map(({ attack, road, executions, expected, status }) => {
    const loud = executions === expected ? '' : '  !!! WRONG !!!'
    return `${attack.padEnd(44)} ${road.padEnd(12)} ran ${executions} of ${expected}  ${status}${loud}`
  })
  const { copies, executions } = approvals
  return `${lines.join('\n')}\n${wrong} wrong; ${approvals.approvals} approvals × ${copies} copies at two workers: ${executions} executions\n`
}
