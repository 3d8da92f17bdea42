// The documents hold what they say: every snippet is checked, and what has output is run and must print just that.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { sign } from 'hono/jwt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scriptedModel } from '../../local/model/server.ts'
import { pgliteEngine } from '../../local/neon/pglite.ts'
import type { StandIn } from '../../local/stand-in.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { openaiModel } from '../../src/adapters/openai/index.ts'
import { serve } from '../../src/http/index.ts'
import { support } from '../../workers/support.ts'
import { curlsIn, scriptsIn } from './curl.ts'
import { anchorsOf, linksOf, pages, type Snippet, snippetsOf, textOf } from './markdown.ts'
import { Project } from './project.ts'

const snippets = pages.flatMap(snippetsOf)
const projects: Project[] = []

afterAll(() => {
  for (const project of projects) project.remove()
})

function project(): Project {
  const made = new Project()
  projects.push(made)
  return made
}

test('there are snippets of every kind that is checked, and of no other', () => {
  const kinds = new Set(snippets.map(({ language }) => language))
  expect([...kinds].sort()).toEqual(['bash', 'json', 'sql', 'text', 'toml', 'ts', 'tsx'])
})

describe('TypeScript', () => {
  const code = snippets.filter(
    ({ language, mark }) => /^tsx?$/.test(language) && (mark === undefined || mark === 'run'),
  )
  const runnable = code.filter(({ mark }) => mark === 'run')
  const nameOf = ({ place, language }: Snippet) => `src/${place.replace(/[^\w]+/g, '-')}.${language}`
  let written: Project

  beforeAll(() => {
    written = project()
    for (const snippet of code) written.write(nameOf(snippet), `${snippet.text}\nexport {}\n`)
  })

  test('every snippet type-checks against the package', () => {
    expect(written.typeErrors()).toEqual([])
  })

  test.each(runnable.map((snippet) => [snippet.place, snippet] as const))(
    '%s prints what the page says',
    (_, snippet) => {
      expect(written.run(nameOf(snippet))).toBe(snippet.output)
    },
  )
})

describe("a user's own Worker project, as the guide gives it", () => {
  const files = snippets.filter(({ mark }) => mark?.includes('.'))
  let written: Project

  beforeAll(() => {
    written = project()
    for (const { mark = '', text } of files) written.write(mark, text)
  })

  test('has the four files that the guide counts', () => {
    expect(files.map(({ mark }) => mark)).toEqual(['package.json', 'wrangler.toml', 'tsconfig.json', 'src/index.ts'])
  })

  test('type-checks', () => {
    expect(written.typeErrors()).toEqual([])
  })

  test('passes a dry deployment', () => {
    const report = written.run('node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', 'bundle')
    expect(report).toContain('--dry-run: exiting now')
  })
})

describe('shell', () => {
  const shell = snippets.filter(({ language }) => language === 'bash')

  test('every npm script that is named exists', () => {
    const named = new Set([...shell.map(({ text }) => text), ...pages.map(textOf)].flatMap(scriptsIn))
    expect(named.size).toBeGreaterThan(5)
    expect([...named].filter((name) => !(name in packageJson.scripts))).toEqual([])
  })

  test('the curl commands of a page, one after the other, answer what it says', async () => {
    const service = await localService()
    let answered = 0
    try {
      for (const { place, text, output = '', mark } of shell) {
        if (mark !== 'run') continue
        for (const request of curlsIn(text, service.variables)) {
          const response = await service.fetch(request)
          expect([place, response.status]).toEqual([place, 200])
          const body = await response.text()
          if (output.startsWith('{')) expect(JSON.parse(body), place).toMatchObject(JSON.parse(output))
          else expect(body, place).toContain(output.trim())
          answered++
        }
      }
    } finally {
      await service.model.close()
    }
    expect(answered).toBeGreaterThan(2)
  })
})

test('every query runs on the schema', async () => {
  const engine = await pgliteEngine()
  try {
    await engine.script(readFileSync('schema.sql', 'utf8'))
    const queries = snippets.filter(({ language }) => language === 'sql')
    expect(queries.length).toBeGreaterThan(0)
    for (const { text } of queries) {
      const [result] = await engine.query([{ text, params: [] }])
      expect(result?.command).toBe('SELECT')
    }
  } finally {
    await engine.close()
  }
})

describe('pages', () => {
  test('every link inside the repository leads somewhere', () => {
    const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page, link })))
    const broken = links.filter(({ page, link }) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : posix.join(posix.dirname(page), path)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
    expect(links.length).toBeGreaterThan(10)
    expect(broken).toEqual([])
  })

  test('every decision has its number once and a date', () => {
    const decisions = readdirSync('docs/decisions').sort()
    expect(decisions.map((name) => name.slice(0, 3))).toEqual(
      decisions.map((_, index) => String(index + 1).padStart(3, '0')),
    )
    expect(decisions.filter((name) => !/^\d{4}-\d{2}-\d{2}$/m.test(textOf(`docs/decisions/${name}`)))).toEqual([])
  })

  test("the guide's table of errors has every code with its status and whether to try again", () => {
    const rows = textOf('docs/guide.md').matchAll(/^\| (`[a-z_`, ]+`) \| (\d{3}) \| (yes)? *\|/gm)
    const told = [...rows].flatMap(([, codes = '', status, again]) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => ({ code, status: Number(status), again: again === 'yes' })),
    )
    expect(told.toSorted(byCode)).toEqual(codesInSource().toSorted(byCode))
  })
})

function codesInSource() {
  const rows = readFileSync('src/kernel/errors.ts', 'utf8').matchAll(
    /^ {2}(\w+): \{ status: (\d+), retryable: (\w+) \},$/gm,
  )
  return [...rows].map(([, code, status, retryable]) => ({ code, status: Number(status), again: retryable === 'true' }))
}

function byCode(a: { code: string | undefined }, b: { code: string | undefined }): number {
  return String(a.code).localeCompare(String(b.code))
}

async function localService() {
  const model: StandIn = await scriptedModel({ chunkDelayMs: 0 })
  const secret = 'a secret for the snippets, long enough'
  const checkpointer = memoryCheckpointer()
  const store = memoryStore()
  const app = serve({
    graphs: {
      support: support.compile({
        checkpointer,
        store,
        model: openaiModel({ apiKey: 'none', baseUrl: `${model.url}/v1`, model: 'scripted-1' }),
        name: 'support',
      }),
    },
    checkpointer,
    auth: { secret },
  })
  const claims = { tenant: 'local', sub: 'you', scope: 'chat', exp: Math.floor(Date.now() / 1_000) + 60 }
  return {
    model,
    fetch: (request: Request) => app.fetch(request),
    variables: { BASE: 'http://localhost', TOKEN: await sign(claims, secret, 'HS256') },
  }
}
