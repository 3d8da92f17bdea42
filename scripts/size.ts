// `npm run size`: what a Worker with everything weighs, what the core alone weighs, and how long the Worker takes to start.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

interface Weight {
  raw: number
  gzip: number
}

const scratch = mkdtempSync(join(tmpdir(), 'recollect-size-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const sizes = { worker: workerWeight(), core: await coreWeight(), ...startups() }
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(sizes)}\n`)
else print()

/** The upload as `wrangler deploy` would make it, minified as wrangler.toml says. */
function workerWeight(): Weight {
  const folder = join(scratch, 'worker')
  wrangler('.', 'deploy', '--dry-run', '--outdir', folder)
  const uploaded = readdirSync(folder).filter((name) => !name.endsWith('.map') && name !== 'README.md')
  return uploaded.map((name) => weigh(readFileSync(join(folder, name)))).reduce(sum)
}

/** Graph and runtime whole: every name they export is kept, so that nothing looks small by being dropped. */
async function coreWeight(): Promise<Weight> {
  const files = ['graph', 'runtime'].flatMap((layer) =>
    readdirSync(`src/${layer}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `./src/${layer}/${name}`),
  )
  const { outputFiles } = await build({
    stdin: {
      contents: files.map((file, index) => `export * as file${index} from ${JSON.stringify(file)}`).join('\n'),
      resolveDir: process.cwd(),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    external: ['node:*'],
    write: false,
  })
  return outputFiles.map(({ contents }) => weigh(contents)).reduce(sum)
}

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string } }[]
  samples: number[]
  /** Microseconds since the sample before. */
  timeDeltas: number[]
}

/**
 * CPU time until the first request could be taken, in the local workerd: the median of five starts. In turns with a Worker that
 * has nothing in it, for that much is the runtime's own, and both say how fast the machine is just now.
 */
function startups(): { startupMs: number | null; emptyStartupMs: number | null } {
  try {
    const empty = emptyWorker()
    const pairs = [1, 2, 3, 4, 5].map(() => [profiledStartMs('.'), profiledStartMs(empty)] as const)
    const median = (times: number[]) => times.toSorted((a, b) => a - b)[2] ?? null
    return { startupMs: median(pairs.map(([own]) => own)), emptyStartupMs: median(pairs.map(([, none]) => none)) }
  } catch (error) {
    process.stderr.write(`startupMs is not measured: ${error instanceof Error ? error.message : String(error)}\n`)
    return { startupMs: null, emptyStartupMs: null }
  }
}

function emptyWorker(): string {
  const folder = join(scratch, 'empty')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.js'), 'export default { fetch: () => new Response() }\n')
  const settings = readFileSync('wrangler.toml', 'utf8').match(/^compatibility_\w+ = .*$/gm) ?? []
  writeFileSync(join(folder, 'wrangler.toml'), ['name = "empty"', 'main = "index.js"', ...settings, ''].join('\n'))
  return folder
}

function profiledStartMs(folder: string): number {
  const file = join(scratch, 'startup.cpuprofile')
  wrangler(folder, 'check', 'startup', '--outfile', file)
  const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(readFileSync(file, 'utf8'))
  const idle = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id))
  const busy = samples.map((id, index) => (idle.has(id) ? 0 : (timeDeltas[index] ?? 0)))
  return Math.round(busy.reduce((total, microseconds) => total + microseconds, 0) / 100) / 10
}

function wrangler(folder: string, ...args: string[]): void {
  execFileSync(process.execPath, [resolve('node_modules/wrangler/bin/wrangler.js'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
}

function weigh(content: Uint8Array): Weight {
  return { raw: content.byteLength, gzip: gzipSync(content).byteLength }
}

function sum(a: Weight, b: Weight): Weight {
  return { raw: a.raw + b.raw, gzip: a.gzip + b.gzip }
}

function print(): void {
  const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`.padStart(12)
  const row = (name: string, { raw, gzip }: Weight) => `${name.padEnd(30)}${kibibytes(raw)}${kibibytes(gzip)}\n`
  process.stdout.write(`${''.padEnd(30)}${'raw'.padStart(12)}${'gzip'.padStart(12)}\n`)
  process.stdout.write(row('Worker, everything', sizes.worker))
  process.stdout.write(row('core: graph and runtime', sizes.core))
  for (const [name, ms] of [
    ['start-up CPU, local workerd', sizes.startupMs],
    ['the same of an empty Worker', sizes.emptyStartupMs],
  ] as const) {
    process.stdout.write(`${name.padEnd(30)}${`${ms ?? '–'} ms`.padStart(12)}\n`)
  }
}
