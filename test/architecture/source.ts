// The project's source files as the architecture test reads them: parsed, with what each imports and how long its functions are.
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseAst } from 'vitest/node'

export interface SyntaxNode {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

export interface Source {
  /** From the project's root, with `/`. */
  path: string
  text: string
  /** A relative import as a path from the root, a package by its name, a builtin as `node:x`. */
  imports: readonly string[]
  /** Every node of the syntax tree, parents first. */
  nodes: readonly SyntaxNode[]
}

/** Every file below a folder that the project keeps; a folder that does not exist has none. */
export function filesBelow(folder: string): string[] {
  const ignored = /^(node_modules|dist|coverage|\.(?!ci$).*)$/
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      if (entry.isDirectory()) return ignored.test(entry.name) ? [] : filesBelow(path)
      return entry.isFile() ? [path] : []
    })
  } catch {
    return []
  }
}

export function sourcesBelow(folder: string): Source[] {
  return filesBelow(folder)
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'))
    .map(parse)
}

function parse(path: string): Source {
  const text = readFileSync(path, 'utf8')
  const nodes: SyntaxNode[] = []
  collect(parseAst(text, { lang: path.endsWith('.tsx') ? 'tsx' : 'ts' }), nodes)
  return { path, text, nodes, imports: nodes.flatMap((node) => imported(node, path)) }
}

function collect(value: unknown, into: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, into)
    return
  }
  if (!isObject(value)) return
  if (isNode(value)) into.push(value)
  for (const field of Object.values(value)) collect(field, into)
}

function imported(node: SyntaxNode, path: string): string[] {
  const hasSource = /^(Import|Export)\w*(Declaration|Expression)$|^TSImportType$/.test(node.type)
  const source = hasSource && isObject(node.source) ? node.source.value : undefined
  if (typeof source !== 'string') return []
  if (source.startsWith('.')) return [posix.normalize(posix.join(posix.dirname(path), source))]
  return [source.startsWith('node:') ? source : source.split('/', source.startsWith('@') ? 2 : 1).join('/')]
}

export interface FunctionLength {
  /** `path:line`, as editors open it. */
  place: string
  lines: number
}

export function functionLengths({ path, text, nodes }: Source): FunctionLength[] {
  const line = (offset: number) => text.slice(0, offset).split('\n').length
  return nodes
    .filter(({ type }) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type))
    .map(({ start, end }) => ({ place: `${path}:${line(start)}`, lines: line(end) - line(start) + 1 }))
}

/** The text of every node that `is` accepts, with its place. */
export function occurrences({ path, text, nodes }: Source, is: (node: SyntaxNode) => boolean): string[] {
  return nodes
    .filter(is)
    .map(
      ({ start, end }) => `${path}:${text.slice(0, start).split('\n').length} ${text.slice(start, end).slice(0, 60)}`,
    )
}

export function isNode(value: unknown): value is SyntaxNode {
  return isObject(value) && typeof value.type === 'string' && typeof value.start === 'number'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
