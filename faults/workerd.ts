// The deployed Worker in the Workers runtime itself, without wrangler around it: a process that can be killed and started again.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unstable_readConfig } from 'wrangler'
import { freePort } from '../local/free-port.ts'
import { pause } from './mode.ts'

export interface Workerd {
  readonly base: string
  /** With SIGKILL, and until it is gone. */
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** Where the harness calls the Worker's cron, which no request of a user can. */
export const scheduledPath = '/_scheduled'
const readyWithinMs = 20_000

export async function workerd(variables: Readonly<Record<string, string>>): Promise<Workerd> {
  const folder = mkdtempSync(join(tmpdir(), 'recollect-workerd-'))
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  bundle(folder)
  writeFileSync(join(folder, 'config.capnp'), configuration(port, variables))
  let child: ChildProcess | undefined
  const kill = async () => {
    const [running] = [child]
    child = undefined
    if (running?.pid === undefined) return
    const gone = new Promise((done) => running.once('exit', done))
    process.kill(-running.pid, 'SIGKILL')
    await gone
  }
  const start = async () => {
    child = launch(folder)
    await ready(base, child)
  }
  await start()
  return {
    base,
    kill,
    start,
    async close() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** As `wrangler deploy` would upload it, with one more path in front. */
function bundle(folder: string): void {
  const wrangler = resolve('node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' }
  execFileSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', folder], { env, stdio: 'pipe' })
  const script = readdirSync(folder).find((name) => name.endsWith('.js'))
  if (script === undefined) throw new Error('wrangler made no script of the Worker.')
  renameSync(join(folder, script), join(folder, 'deployed.js'))
  writeFileSync(
    join(folder, 'entry.js'),
    `import worker from './deployed.js'
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== ${JSON.stringify(scheduledPath)}) return worker.fetch(request, env, context)
    await worker.scheduled({ scheduledTime: 0 }, env, context)
    return new Response()
  },
}
`,
  )
}

function configuration(port: number, variables: Readonly<Record<string, string>>): string {
  const { compatibility_date, compatibility_flags, vars } = unstable_readConfig({ config: 'wrangler.toml' })
  const text = JSON.stringify
  const bindings = Object.entries({ ...vars, ...variables }).map(([name, value]) => {
    return `(name = ${text(name)}, text = ${text(String(value))})`
  })
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "entry.js", esModule = embed "entry.js"),
    (name = "deployed.js", esModule = embed "deployed.js"),
  ],
  compatibilityDate = ${text(compatibility_date)},
  compatibilityFlags = [${(compatibility_flags ?? []).map((flag: string) => text(flag)).join(', ')}],
  bindings = [${bindings.join(', ')}],
  globalOutbound = "internet",
);
`
}

/** Tethered: it does not outlive the harness, however that ends. */
function launch(folder: string): ChildProcess {
  const tethered = fileURLToPath(new URL('../local/tethered.ts', import.meta.url))
  const program = binary()
  return spawn(process.execPath, [tethered, program, 'serve', join(folder, 'config.capnp')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
}

/** It comes with wrangler. */
function binary(): string {
  const fromWrangler = createRequire(resolve('node_modules/wrangler/package.json'))
  const found: { default: string } = createRequire(fromWrangler.resolve('miniflare'))('workerd')
  return found.default
}

async function ready(base: string, child: ChildProcess): Promise<void> {
  const until = performance.now() + readyWithinMs
  while (performance.now() < until && child.exitCode === null) {
    const answer = await fetch(`${base}/ok`).catch(() => undefined)
    if (answer?.ok) return
    await pause(20)
  }
  throw new Error('The Worker did not start in workerd.')
}
