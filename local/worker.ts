// The Worker under `wrangler dev`, in processes that end when this one does, however this one ends.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface LocalWorker {
  readonly base: string
  /** Leads all the processes that wrangler starts. */
  readonly pid: number
  /** With the exit code. */
  readonly ended: Promise<number | null>
  /** Resolves when it answers; rejects after a minute. */
  ready(): Promise<void>
  /** What wrangler said while it started, mostly advice for other projects. */
  said(): string
  /** From now on what it says is passed on. */
  aloud(): void
  stop(): Promise<void>
}

export interface WorkerPlace {
  readonly port: number
  /** The file with its settings is written there. */
  readonly data: string
  readonly variables: Readonly<Record<string, string>>
}

const readyWithinMs = 60_000
const endedWithinMs = 3_000

export async function startWorker({ port, data, variables }: WorkerPlace): Promise<LocalWorker> {
  const base = `http://127.0.0.1:${port}`
  const worker = spawnWrangler(port, await settingsFile(data, variables))
  const ended = new Promise<number | null>((resolve) => worker.once('exit', resolve))
  let held: string | undefined = ''
  const hear = (chunk: Buffer) => {
    if (held === undefined) process.stdout.write(chunk)
    else held += chunk
  }
  worker.stdout.on('data', hear)
  worker.stderr.on('data', hear)
  return {
    base,
    pid: worker.pid ?? 0,
    ended,
    ready: () => answering(base),
    said: () => held ?? '',
    aloud: () => {
      held = undefined
    },
    stop: async () => {
      worker.stdin.end()
      await Promise.race([ended, sleep(endedWithinMs)])
    },
  }
}

/**
 * Only this user can read it: a command line can be read by all, and one of the settings may be a real key. With that file
 * wrangler reads no `.dev.vars`.
 */
async function settingsFile(data: string, variables: WorkerPlace['variables']): Promise<string> {
  const file = resolve(data, 'worker.env')
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll('$', '\\$')}'\n`)
  await writeFile(file, lines.join(''), { mode: 0o600 })
  return file
}

/** What Node made of wrangler's code, for the next start: a second less of one. */
const compiled = fileURLToPath(new URL('../node_modules/.cache/recollect/', import.meta.url))

function spawnWrangler(port: number, settings: string) {
  const tethered = fileURLToPath(new URL('./tethered.ts', import.meta.url))
  // What its command starts, which is a process that does nothing else.
  const wrangler = fileURLToPath(import.meta.resolve('wrangler'))
  // The last: or else wrangler tells at length how to call the cron by hand, which is a third of a second of its start.
  const quiet = ['--show-interactive-dev-session=false', '--log-level', 'warn', '--test-scheduled']
  const place = ['--ip', '127.0.0.1', '--port', `${port}`, '--inspector-port', '0', '--env-file', settings]
  return spawn(process.execPath, [tethered, process.execPath, wrangler, 'dev', ...place, ...quiet], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    env: {
      NODE_COMPILE_CACHE: compiled,
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'true',
      NODE_NO_WARNINGS: '1',
    },
  })
}

async function answering(base: string): Promise<void> {
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
