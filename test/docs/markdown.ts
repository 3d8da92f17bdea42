// What can be checked in a page: its fenced snippets, its links and its headings.
import { readdirSync, readFileSync } from 'node:fs'

/** All that is written by hand; docs/http.md is made from the route table and held by its own test. */
export const pages: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  ...below('docs').filter((page) => page !== 'docs/http.md'),
  ...below('docs/decisions'),
]

function below(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'))
  return names.sort().map((name) => `${folder}/${name}`)
}

export interface Snippet {
  /** `docs/guide.md:42`, the line of the opening fence. */
  readonly place: string
  readonly language: string
  /** After the language: `run`, or the name of the file that it is in a user's project. */
  readonly mark: string | undefined
  readonly text: string
  /** Of the block that follows with nothing but a line of prose between: what it prints. */
  readonly output: string | undefined
}

/** Every fenced block of a page, in order. */
export function snippetsOf(page: string): Snippet[] {
  const blocks = [...textOf(page).matchAll(/^```(\w+)(?: ([^\n]+))?\n(.*?)^```$/gms)]
  return blocks.map((block, index) => {
    const [whole, language = '', mark, text = ''] = block
    const next = blocks[index + 1]
    const between = next === undefined ? '' : textOf(page).slice(block.index + whole.length, next.index)
    const follows = next !== undefined && next[2] === undefined && !between.includes('#')
    const isOutput = next?.[1] === 'text' || next?.[1] === 'json'
    return {
      place: `${page}:${textOf(page).slice(0, block.index).split('\n').length}`,
      language,
      mark,
      text,
      output: follows && isOutput ? next[3] : undefined,
    }
  })
}

/** Targets of links that stay in the repository: `docs/guide.md#errors`. */
export function linksOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** Headings as links name them. */
export function anchorsOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(page: string): string {
  return textOf(page).replace(/^```.*?^```$/gms, '')
}

export function textOf(page: string): string {
  return readFileSync(page, 'utf8')
}
