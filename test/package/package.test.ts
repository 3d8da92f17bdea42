// The package as a user gets it: packed, unpacked into an empty Worker project, type-checked there and bundled for deployment.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

const project = mkdtempSync(join(tmpdir(), 'recollect-package-'))
const installed = join(project, 'node_modules', 'recollect')
const doors = Object.entries(packageJson.exports).flatMap(([door, target]) =>
  typeof target === 'string' ? [] : [{ name: door.replace('.', 'recollect'), ...target }],
)
let packed: string[] = []

beforeAll(() => {
  run('npm', ['pack', '--pack-destination', project], '.')
  const tarball = join(project, `recollect-${packageJson.version}.tgz`)
  packed = run('tar', ['-tzf', tarball])
    .trim()
    .split('\n')
    .map((path) => path.replace('package/', ''))
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed])
  // What `npm install` would fetch is here already.
  for (const name of [...Object.keys(packageJson.dependencies), '@cloudflare/workers-types']) link(name)
  writeProject()
}, 120_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

test('the package holds what it runs on and nothing else', () => {
  const surplus = packed.filter(
    (path) => !/^dist\/.+\.(js|d\.ts|json)$|^(schema\.sql|package\.json|README\.md|LICENSE)$/.test(path),
  )
  expect(surplus).toEqual([])
})

test('every door of the package leads to a module and its declarations', () => {
  const leading = doors.flatMap((door) => [door.default, door.types])
  expect(leading.filter((path) => !existsSync(join(installed, path)))).toEqual([])
})

test('the declarations name no file that the package lacks', () => {
  const imports = packed
    .filter((path) => path.endsWith('.d.ts'))
    .flatMap((path) =>
      [...readFileSync(join(installed, path), 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)].map(
        ([, specifier = '']) => join(dirname(path), specifier.replace(/\.(ts|js)$/, '.d.ts')),
      ),
    )
  expect(imports.filter((path) => !packed.includes(path))).toEqual([])
})

test('a library that exports what it makes has declarations: every type of it has a public name', () => {
  const said = run(process.execPath, [tool('typescript/bin/tsc'), '-p', join(project, 'library.json')])
  expect(said).toBe('')
  expect(readFileSync(join(project, 'library', 'library.d.ts'), 'utf8')).not.toContain('recollect/dist')
})

test('an empty Worker project that imports every door type-checks and passes a dry deployment', () => {
  run(process.execPath, [tool('typescript/bin/tsc'), '-p', project])
  const bundle = join(project, 'bundle')
  const report = run(process.execPath, [tool('wrangler/bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', bundle])
  expect(report).toContain('--dry-run: exiting now')
  expect(existsSync(join(bundle, 'worker.js'))).toBe(true)
})

function writeProject(): void {
  const write = (name: string, content: string) => writeFileSync(join(project, name), content)
  write('package.json', JSON.stringify({ name: 'empty-worker', private: true, type: 'module' }))
  write(
    'wrangler.toml',
    'name = "empty-worker"\nmain = "worker.ts"\ncompatibility_date = "2026-10-01"\ncompatibility_flags = ["nodejs_compat"]\n',
  )
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    types: ['@cloudflare/workers-types'],
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    exactOptionalPropertyTypes: true,
  }
  write(
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true }, files: ['worker.ts'] }),
  )
  const declarations = { declaration: true, emitDeclarationOnly: true, outDir: 'library' }
  write(
    'library.json',
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...declarations }, files: ['library.ts'] }),
  )
  write('library.ts', library)
  write('worker.ts', worker(doors.filter((door) => existsSync(join(installed, door.types)))))
}

/** Exports, without a type beside it, what is made of the public names. */
const library = `import * as recollect from 'recollect'
import { memoryCache, memoryCheckpointer, memoryEventLog, memoryStore } from 'recollect/memory'
import { neonCheckpointer, neonStore } from 'recollect/neon'
import { openaiEmbedder, openaiModel } from 'recollect/openai'
import { scriptedModel } from 'recollect/testing'
import { upstashCache, upstashEventLog, upstashItemIndex } from 'recollect/upstash'

export const made = {
  items: () => neonStore(undefined as never),
  checkpointer: () => neonCheckpointer(undefined as never),
  index: () => upstashItemIndex(undefined as never),
  cache: () => upstashCache(undefined as never),
  events: () => upstashEventLog(undefined as never),
  inMemory: [memoryCache(), memoryEventLog()],
  embedder: () => openaiEmbedder(undefined as never),
  model: () => openaiModel(undefined as never),
}
export const agents = {
  plain: recollect.agent(),
  recalling: recollect.agent({ recall: true }),
  perhaps: recollect.agent({ recall: Boolean(1) }),
  summarizing: recollect.agent({ trim: 'summary' }),
  both: recollect.agent({ trim: 'summary', recall: { limit: 3 }, tools: [recollect.recallTool()] }),
}
export const nodes = [recollect.recallNode(), recollect.modelNode({ trim: 'summary' }), recollect.summarizeNode()]
export const channels = [recollect.messages(), recollect.recalled(), recollect.summary()]
export const store = recollect.guardedStore(memoryStore(), [])
export const parts = { store, checkpointer: memoryCheckpointer(), model: scriptedModel(() => ''), extract: recollect.extraction() }
export const app = agents.both.compile(parts)
export const asked = () => app.invoke({ messages: recollect.user('Hi') })
export const window = ((messages, { tokensOf }) => messages.filter((message) => tokensOf(message) < 9)) satisfies recollect.TrimFunction
export const reading = {
  trimmed: recollect.trimmed,
  currentSummary: recollect.currentSummary,
  recall: ({ memory }: recollect.Context) => memory('team').recall('x'),
  search: ({ store }: recollect.Context) => store.search(['team']),
  history: ({ store }: recollect.Context) => store.history(['team'], 'x'),
}
`

/** Uses what a small application uses, and imports every door. */
function worker(imported: readonly { name: string }[]): string {
  return `import { last, StateGraph } from 'recollect'
import { memoryCheckpointer } from 'recollect/memory'
${imported.map(({ name }, index) => `import * as door${index} from '${name}'`).join('\n')}

const app = new StateGraph({
  state: { count: last(0) },
  nodes: {
    add: (state) => ({ count: state.count + 1 }),
    // @ts-expect-error The declarations carry the types: there is no such channel.
    wrong: (state) => ({ count: state.nowhere }),
  },
  edges: { start: 'add' },
}).compile({ checkpointer: memoryCheckpointer() })

export default {
  async fetch() {
    const state = await app.invoke({ count: 1 }, { tenant: 'acme', user: 'alex', thread: 'one' })
    const count: number = state.count
    return Response.json([count, ${imported.map((_, index) => `Object.keys(door${index})`).join(', ')}])
  },
}
`
}

function link(name: string): void {
  const path = join(project, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(resolve('node_modules', name), path)
}

function tool(script: string): string {
  return resolve('node_modules', script)
}

/** Its output; a failure throws with all that the command printed. */
function run(command: string, args: readonly string[], cwd = project): string {
  try {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' }
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: 'pipe', timeout: 60_000 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`)
  }
}
