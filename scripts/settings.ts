// `npm run settings`: writes `.dev.vars.example` and the table in docs/operations.md from the Worker's table of settings.
import { readFile, writeFile } from 'node:fs/promises'
import { variables } from '../workers/env.ts'

const begin = '<!-- settings: made by `npm run settings` -->'
const end = '<!-- /settings -->'

export function exampleText(): string {
  const entries = Object.entries(variables).filter(
    ([name]) => name !== 'NEON_HTTP_ENDPOINT' && name !== 'RECOLLECT_LOCAL',
  )
  const lines = entries.map(
    ([name, { about, required, example }]) => `# ${about}\n${required ? '' : '# '}${name}="${example}"\n`,
  )
  return `# Copy to .dev.vars for \`npx wrangler dev\` with real services. \`npm run dev\` needs none of it.\n\n${lines.join('\n')}`
}

export function settingsTable(): string {
  const rows = Object.entries(variables).map(([name, variable]) => {
    const standard = 'default' in variable ? `\`${variable.default}\`` : variable.required ? 'required' : '–'
    return `| \`${name}\` | ${variable.secret ? 'secret' : 'variable'} | ${standard} | ${variable.about} |`
  })
  return ['| name | kind | default | what and where to get it |', '|---|---|---|---|', ...rows].join('\n')
}

/** `text` with the table of settings between its marks brought up to date. */
export function withSettings(text: string): string {
  const [before, rest = ''] = text.split(begin)
  const [, after = ''] = rest.split(end)
  return `${before}${begin}\n${settingsTable()}\n${end}${after}`
}

if (import.meta.main) {
  await writeFile('.dev.vars.example', exampleText())
  await writeFile('docs/operations.md', withSettings(await readFile('docs/operations.md', 'utf8')))
}
