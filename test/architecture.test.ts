// The plan of the house, held: which layer may import which, where a vendor may appear, and the few rules of style that a
// machine can check. A broken rule lists the places; an exception is a line in `exceptions` with its reason.
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import {
  filesBelow,
  functionLengths,
  isNode,
  occurrences,
  type Source,
  type SyntaxNode,
  sourcesBelow,
} from './architecture/source.ts'

/** What a folder of src may import besides itself, and which packages. Downwards only: no folder names one above it. */
const layers: Record<string, { from: readonly string[]; packages: readonly string[] }> = {
  kernel: { from: [], packages: [] },
  graph: { from: ['kernel'], packages: [] },
  ports: { from: ['kernel', 'graph'], packages: [] },
  memory: { from: ['kernel', 'graph', 'ports'], packages: [] },
  runtime: { from: ['kernel', 'graph', 'ports', 'memory'], packages: [] },
  agent: { from: ['kernel', 'graph', 'ports', 'memory', 'runtime'], packages: ['zod'] },
  webhooks: { from: ['kernel', 'ports', 'runtime'], packages: [] },
  'adapters/memory': { from: ['kernel', 'ports'], packages: [] },
  'adapters/neon': { from: ['kernel', 'ports'], packages: ['@neondatabase/serverless'] },
  'adapters/upstash': { from: ['kernel', 'ports'], packages: ['@upstash/redis', '@upstash/vector', 'porter2'] },
  'adapters/openai': { from: ['kernel', 'ports'], packages: ['openai'] },
  http: { from: ['kernel', 'graph', 'ports', 'memory', 'runtime', 'agent', 'webhooks'], packages: ['hono', 'zod'] },
  index: { from: ['kernel', 'graph', 'ports', 'memory', 'runtime', 'agent', 'webhooks'], packages: [] },
  testing: {
    from: ['kernel', 'graph', 'ports', 'memory', 'runtime', 'agent', 'adapters/memory'],
    packages: [],
  },
}

/** `rule path` → why a reader would accept it. One that is no longer needed fails the test too. */
const exceptions: Record<string, string> = {}

const src = sourcesBelow('src')
const workers = sourcesBelow('workers')
const local = sourcesBelow('local')
const cli = sourcesBelow('cli')
const product = [...src, ...workers, ...local, ...cli]
const everything = [...product, ...['bench', 'scripts', 'test', 'examples'].flatMap(sourcesBelow)]

const used = new Set<string>()

/** The places (`path:line …`) that break a rule, without those whose file has a reason to. */
function unexcused(rule: string, places: readonly string[]): string[] {
  return places.filter((place) => {
    const key = `${rule} ${place.split(':', 1)[0]}`
    used.add(key)
    return !(key in exceptions)
  })
}

/** `src/adapters/neon/sql.ts` → `adapters/neon`, `src/graph/plan.ts` → `graph`, `src/index.ts` → `index`. */
function layerOf(path: string): string {
  const [, first = '', second = ''] = path.split('/')
  return first === 'adapters' ? `${first}/${second}` : first.replace(/\.ts$/, '')
}

const isPackage = (specifier: string) =>
  !specifier.startsWith('node:') && !/^(src|workers|local|cli|bench|test|scripts|examples)\/|\.json$/.test(specifier)

function forbiddenImports({ path, imports }: Source): string[] {
  const layer = layers[layerOf(path)]
  if (!layer) return [`${path} is in no layer`]
  const allowed = (specifier: string) => {
    if (specifier.startsWith('node:')) return ['src/kernel/hash.ts', 'src/kernel/webhook.ts'].includes(path)
    if (isPackage(specifier)) return layer.packages.includes(specifier)
    return (
      specifier.startsWith('src/') && (layerOf(specifier) === layerOf(path) || layer.from.includes(layerOf(specifier)))
    )
  }
  return imports.filter((specifier) => !allowed(specifier)).map((specifier) => `${path} imports ${specifier}`)
}

test('imports go down only, and each folder of src imports no package but its own', () => {
  expect(src.length).toBeGreaterThan(0)
  expect(src.flatMap(forbiddenImports)).toEqual([])
})

test('a vendor appears in one folder of src', () => {
  const vendors = Object.entries(layers).flatMap(([layer, { packages }]) =>
    layer.startsWith('adapters/') ? packages : [],
  )
  expect(new Set(vendors).size).toBe(vendors.length)
})

test('what src imports is installed with it', () => {
  const packages = new Set(src.flatMap(({ imports }) => imports.filter(isPackage)))
  expect([...packages].filter((name) => !(name in packageJson.dependencies))).toEqual([])
})

test('workers/compile.ts is the only entry point that knows adapters', () => {
  const knowing = workers.filter(({ imports }) => imports.some((specifier) => specifier.startsWith('src/adapters/')))
  expect(knowing.map(({ path }) => path).filter((path) => path !== 'workers/compile.ts')).toEqual([])
})

test('cli speaks to the service over HTTP: it has its token from local and nothing else of the project', () => {
  const allowed = /^(cli\/|node:|local\/secrets\.ts$)/
  expect(cli.length).toBeGreaterThan(0)
  expect(cli.flatMap(({ imports }) => imports.filter((specifier) => !allowed.test(specifier)))).toEqual([])
})

test('nothing imports the TypeScript compiler, which has no stable interface', () => {
  expect(everything.filter(({ imports }) => imports.includes('typescript')).map(({ path }) => path)).toEqual([])
})

test('the public names are written by hand: no door of the package says `export *`', () => {
  const doors = Object.values(packageJson.exports).flatMap((door) => (typeof door === 'string' ? [] : [door.default]))
  const paths = doors.map((door) => door.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
  const stars = src
    .filter(({ path }) => paths.includes(path))
    .flatMap((source) =>
      occurrences(source, ({ type, exported }) => type === 'ExportAllDeclaration' && exported === null),
    )
  expect(stars).toEqual([])
})

test('graph/ reads no clock and no random number', () => {
  const global = (node: unknown, ...names: string[]) =>
    isNode(node) && node.type === 'Identifier' && names.includes(String(node.name))
  const impure = (node: SyntaxNode) =>
    (node.type === 'MemberExpression' &&
      (global(node.object, 'crypto', 'performance') ||
        (global(node.object, 'Date') && global(node.property, 'now')) ||
        (global(node.object, 'Math') && global(node.property, 'random')))) ||
    (node.type === 'NewExpression' &&
      global(node.callee, 'Date') &&
      Array.isArray(node.arguments) &&
      node.arguments.length === 0)
  expect(src.filter(({ path }) => layerOf(path) === 'graph').flatMap((source) => occurrences(source, impure))).toEqual(
    [],
  )
})

test('no `any`, no `as unknown as`, no `!` in the product', () => {
  const evasive = (node: SyntaxNode) =>
    node.type === 'TSAnyKeyword' ||
    node.type === 'TSNonNullExpression' ||
    (node.type === 'TSAsExpression' &&
      isNode(node.expression) &&
      node.expression.type === 'TSAsExpression' &&
      isNode(node.expression.typeAnnotation) &&
      node.expression.typeAnnotation.type === 'TSUnknownKeyword')
  expect(
    unexcused(
      'types',
      product.flatMap((source) => occurrences(source, evasive)),
    ),
  ).toEqual([])
})

test('files have at most 250 lines, functions at most 60', () => {
  const measured = [...product, ...sourcesBelow('bench'), ...sourcesBelow('scripts')]
  const files = measured.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    return lines > 250 ? [`${path}: ${lines} lines`] : []
  })
  const functions = measured.flatMap(functionLengths).filter(({ lines }) => lines > 60)
  const places = [...files, ...functions.map(({ place, lines }) => `${place} has ${lines} lines`)]
  expect(unexcused('length', places)).toEqual([])
})

test('a file is named after one noun, in kebab-case, and its first line says what it is', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/
  // test/types is named after what it tests, so tests may.
  const vague = /(^|\/)(utils?|helpers?|types|common|misc|shared|[^/]*manager)(\/|\.|$)/
  const named = everything.map(({ path }) => path)
  const badlyNamed = named.filter(
    (path) => !kebab.test(posix.basename(path).replace(/\..*$/, '')) || (!path.startsWith('test/') && vague.test(path)),
  )
  const untold = product.filter(({ text }) => !/^(#!.*\n)?\/[/*]/.test(text)).map(({ path }) => path)
  expect({ badlyNamed, untold }).toEqual({ badlyNamed: [], untold: [] })
})

test('nothing is left for later in the product', () => {
  expect(product.filter(({ text }) => /\b(TODO|FIXME|XXX)\b/.test(text)).map(({ path }) => path)).toEqual([])
})

test('no file names a machine or a package registry', () => {
  const places = [/\/(home|Users|root|work)\/\w+/, /\bregistry\s*=/, /\/\/registry\.\w/, /"resolved":\s*"/]
  const texts = filesBelow('.').filter((path) => !/\.(png|ico|woff2|tgz|gz|dump|log)$|^\.dev\.vars$/.test(path))
  const naming = texts.filter((path) => places.some((place) => place.test(readFileSync(path, 'utf8'))))
  expect(naming).toEqual([])
})

test('every exception is still needed', () => {
  expect(Object.keys(exceptions).filter((key) => !used.has(key))).toEqual([])
})
