// `npm run dev`: the whole stack on loopback, without an account, Docker or network.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, parseEnv } from 'node:util'
import { localSecrets, tokenFor } from './secrets.ts'
import { startServices } from './services.ts'

const usage = `npm run dev -- [options]
  --port N               where the Worker listens; 8787 unless told otherwise
  --data DIR             where data is kept; .recollect unless told otherwise
  --token TENANT/USER    whom the printed token is for; local/you unless told otherwise`

const options = {
  port: { type: 'string', default: '8787' },
  data: { type: 'string', default: '.recollect' },
  token: { type: 'string', default: 'local/you' },
  help: { type: 'boolean', default: false },
} as const

const scheduledEveryMs = 10_000
const readyWithinMs = 60_000

async function main() {
  const { values } = parseArgs({ options })
  if (values.help) return say(usage)
  const port = Number(values.port)
  const [tenant = 'local', user = 'you'] = values.token.split('/')
  await assertFree(port)
  const startedAt = performance.now()
  const secrets = await localSecrets(values.data)
  const services = await startServices(values.data, secrets, await realModel())
  const worker = await startWorker(port, values.data, { ...services.variables, AUTH_SECRET: secrets.auth })
  const heard = quietly(worker)
  const base = `http://127.0.0.1:${port}`

  let stopping = false
  const stop = async (code: number) => {
    if (stopping) return
    stopping = true
    worker.stdin.end()
    await Promise.race([new Promise((resolve) => worker.once('exit', resolve)), sleep(3_000)])
    await services.close()
    process.exit(code)
  }
  process.once('SIGINT', () => stop(0))
  process.once('SIGTERM', () => stop(0))
  worker.once('exit', (code) => {
    if (!stopping) say(`${heard.text()}\nThe Worker stopped (wrangler ended with ${code}); what it said is above.`)
    void stop(1)
  })

  await ready(base).catch((error) => {
    say(heard.text())
    throw error
  })
  heard.aloud()
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

/**
 * In a process that ends when this one does, however this one ends. Its settings go by a file that only this user can read:
 * a command line can be read by all, and one of them may be a real key. With that file wrangler reads no `.dev.vars`.
 */
async function startWorker(port: number, data: string, variables: Readonly<Record<string, string>>) {
  const tethered = fileURLToPath(new URL('./tethered.ts', import.meta.url))
  const wrangler = fileURLToPath(new URL('../node_modules/wrangler/bin/wrangler.js', import.meta.url))
  const file = resolve(data, 'worker.env')
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll('$', '\\$')}'\n`)
  await writeFile(file, lines.join(''), { mode: 0o600 })
  const quiet = ['--show-interactive-dev-session=false', '--log-level', 'warn']
  const place = ['--ip', '127.0.0.1', '--port', `${port}`, '--inspector-port', '0', '--env-file', file]
  return spawn(process.execPath, [tethered, process.execPath, wrangler, 'dev', ...place, ...quiet], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'true',
      NODE_NO_WARNINGS: '1',
    },
  })
}

/** Keeps what wrangler says while it starts, mostly advice for other projects, and passes on what the Worker says later. */
function quietly(worker: Awaited<ReturnType<typeof startWorker>>) {
  let held: string | undefined = ''
  const hear = (chunk: Buffer) => {
    if (held === undefined) process.stdout.write(chunk)
    else held += chunk
  }
  worker.stdout.on('data', hear)
  worker.stderr.on('data', hear)
  return {
    text: () => held ?? '',
    aloud: () => {
      held = undefined
    },
  }
}

/** A real model when the machine has a key for one, in the environment or in `.dev.vars`. */
async function realModel(): Promise<Readonly<Record<string, string>> | undefined> {
  const file = existsSync('.dev.vars') ? parseEnv(await readFile('.dev.vars', 'utf8')) : {}
  const all = { ...file, ...process.env }
  const names = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']
  const given = names.flatMap((name) => (all[name] ? [[name, all[name]] as const] : []))
  return all.OPENAI_API_KEY || all.OPENAI_BASE_URL
    ? { OPENAI_API_KEY: 'none', ...Object.fromEntries(given) }
    : undefined
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

async function ready(base: string): Promise<void> {
  const until = Date.now() + readyWithinMs
  while (Date.now() < until) {
    const answer = await fetch(`${base}/ok`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error(
    `The Worker did not answer at ${base}/ok within ${readyWithinMs / 1_000} s. What wrangler said is above.`,
  )
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
