// A process of its own for the tests of the data directory: opens it, serves it, says on which port, and waits to be killed.
import { pgliteEngine } from '../../../local/neon/pglite.ts'
import { neonHttp } from '../../../local/neon/server.ts'

const [directory, password = ''] = process.argv.slice(2)
try {
  const { port } = await neonHttp({ password, engine: await pgliteEngine(directory) })
  process.stdout.write(`${port}\n`)
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
