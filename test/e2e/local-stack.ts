// The local stack as a newcomer starts it: `npm run dev`, with a data folder and a port of its own.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort } from '../../local/free-port.ts'

export interface LocalStack {
  readonly base: string
  readonly token: string
  /** From start to the welcome, in seconds. */
  readonly seconds: number
  readonly output: string
  post(path: string, body: unknown, token?: string): Promise<Response>
  get(path: string, token?: string, headers?: Record<string, string>): Promise<Response>
  /** Ends it without a word, as a crash does. */
  kill(): Promise<void>
  /** Ctrl-C. Resolves when nothing of it listens any more. */
  stop(): Promise<void>
}

const readyWithinMs = 60_000

export async function startStack(data: string, extra: readonly string[] = []): Promise<LocalStack> {
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawn('npm', ['run', 'dev', '--', '--data', data, '--port', `${port}`, ...extra], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const output = await welcomeOf(child)
  const seconds = (performance.now() - startedAt) / 1_000
  const token = /TOKEN=(\S+)/.exec(output)?.[1] ?? ''
  const base = `http://127.0.0.1:${port}`
  const headers = (given: string) => ({ authorization: `Bearer ${given}`, 'content-type': 'application/json' })
  return {
    base,
    token,
    seconds,
    output,
    post: (path, body, given = token) =>
      fetch(base + path, { method: 'POST', headers: headers(given), body: JSON.stringify(body) }),
    get: (path, given = token, more = {}) => fetch(base + path, { headers: { ...headers(given), ...more } }),
    async kill() {
      const gone = exited(child)
      signal(child, 'SIGKILL')
      await gone
      await closed(port)
    },
    async stop() {
      const gone = exited(child)
      signal(child, 'SIGINT')
      await gone
      await closed(port)
    },
  }
}

/** A token of the stack in `data`, by the command that the guide names. */
export async function tokenFrom(data: string, tenant: string, user: string): Promise<string> {
  const parameters = ['run', '-s', 'token', '--', '--data', data, '--tenant', tenant, '--user', user]
  return (await promisify(execFile)('npm', parameters)).stdout.trim()
}

/** The whole group: npm, the stack, and what it started. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, name)
}

function exited(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', resolve))
}

function welcomeOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(
      () => reject(new Error(`The stack was not ready in time. It said:\n${output}`)),
      readyWithinMs,
    )
    const read = (chunk: Buffer) => {
      output += chunk
      // The last line of the welcome.
      if (!output.includes('is ready after') || !output.includes('"assistant_id"')) return
      clearTimeout(timer)
      resolve(output)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`The stack ended with ${code}. It said:\n${output}`)))
  })
}

/** Until nothing listens there any more. */
async function closed(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answered = await fetch(`http://127.0.0.1:${port}/ok`).then(
      () => true,
      () => false,
    )
    if (!answered) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`Something still listens on port ${port}.`)
}
