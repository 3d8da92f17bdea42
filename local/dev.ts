// `npm run dev`: the whole stack on loopback, without an account, Docker or network.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { parseArgs, parseEnv } from 'node:util'
import { realModels } from './real-models.ts'
import { localSecrets, tokenFor } from './secrets.ts'
import { startServices } from './services.ts'
import { indexKindOf } from './vector/index-kind.ts'
import { startWorker } from './worker.ts'

const usage = `npm run dev -- [options]
  --port N               where the Worker listens; 8787 unless told otherwise
  --data DIR             where data is kept; .recollect unless told otherwise
  --index KIND           of the vector index, when it is made: sparse unless told otherwise, with a real embedding model hybrid
  --token TENANT/USER    whom the printed token is for; local/you unless told otherwise`

const options = {
  port: { type: 'string', default: '8787' },
  data: { type: 'string', default: '.recollect' },
  index: { type: 'string' },
  token: { type: 'string', default: 'local/you' },
  help: { type: 'boolean', default: false },
} as const

const scheduledEveryMs = 10_000

async function main() {
  const { values } = parseArgs({ options })
  if (values.help) return say(usage)
  const port = Number(values.port)
  const [tenant = 'local', user = 'you'] = values.token.split('/')
  const kind = values.index === undefined ? undefined : indexKindOf(values.index)
  await assertFree(port)
  const startedAt = performance.now()
  const secrets = await localSecrets(values.data)
  const services = await startServices(values.data, secrets, { ...realModels(await variables()), vector: kind })
  const settings = {
    ...services.variables,
    AUTH_SECRET: secrets.auth,
    RECOLLECT_SECRET: secrets.webhooks,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  }
  const worker = await startWorker({ port, data: values.data, variables: settings })
  const { base } = worker

  let stopping = false
  const stop = async (code: number) => {
    if (stopping) return
    stopping = true
    await worker.stop()
    await services.close()
    process.exit(code)
  }
  process.once('SIGINT', () => stop(0))
  process.once('SIGTERM', () => stop(0))
  worker.ended.then((code) => {
    if (!stopping) say(`${worker.said()}\nThe Worker stopped (wrangler ended with ${code}); what it said is above.`)
    void stop(1)
  })

  const answering = worker.ready().catch((error) => {
    say(worker.said())
    throw error
  })
  await Promise.all([services.ready(), answering])
  worker.aloud()
  setInterval(() => void fetch(`${base}/cdn-cgi/local/scheduled`).catch(() => {}), scheduledEveryMs)
  const token = await tokenFor(secrets, { tenant, user, scopes: ['chat', 'approve', 'operate'] })
  say(
    welcome({
      base,
      token,
      data: values.data,
      services: services.lines,
      seconds: (performance.now() - startedAt) / 1_000,
    }),
  )
}

/** What is set in the environment, over `.dev.vars`. */
async function variables(): Promise<NodeJS.Dict<string>> {
  const file = existsSync('.dev.vars') ? parseEnv(await readFile('.dev.vars', 'utf8')) : {}
  return { ...file, ...process.env }
}

async function assertFree(port: number): Promise<void> {
  if (!(Number.isInteger(port) && port > 0 && port < 65_536))
    throw new Error(`--port must be a number from 1 to 65535.`)
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () =>
      reject(
        new Error(`Port ${port} is taken. Stop what listens there, or take another: npm run dev -- --port ${port + 1}`),
      ),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}

function welcome({
  base,
  token,
  data,
  services,
  seconds,
}: {
  base: string
  token: string
  data: string
  services: readonly string[]
  seconds: number
}) {
  return `
recollect is ready after ${seconds.toFixed(1)} s. Data is kept in ${data}; Ctrl-C stops everything.

  Worker     ${base}   (docs: ${base}/docs)
${services.map((line) => `  ${line}`).join('\n')}

Say something, then say something else: the thread remembers.

  export TOKEN=${token}

  curl -s ${base}/threads/first/runs/wait -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
    -d '{"assistant_id":"support","if_not_exists":"create","input":{"messages":[{"role":"user","content":"My name is Ada. Where is order A1?"}]}}'
`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
