// `npm run deploy`: checks the settings, migrates the database, sets the secrets, deploys, and asks the Worker how it is.
// --dry-run does the checks and the bundle, and says what it would have done. --env-file FILE has the settings; .dev.vars unless told otherwise.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tokenFor } from '../local/secrets.ts'
import { isRecollectError } from '../src/kernel/errors.ts'
import { type Name, settingsOf, variables } from '../workers/env.ts'
import { argumentsOf } from './arguments.ts'
import { migrateDatabase } from './migrate.ts'
import { variablesFrom } from './variables.ts'

const values = argumentsOf('npm run deploy -- [--dry-run] [--env-file FILE]', {
  'dry-run': { type: 'boolean', default: false },
  'env-file': { type: 'string', default: '.dev.vars' },
})
const dryRun = values['dry-run']
const run = promisify(execFile)

async function main() {
  const given = await variablesFrom(values['env-file'])
  settingsOf(given)
  for (const local of ['NEON_HTTP_ENDPOINT', 'RECOLLECT_LOCAL']) {
    if (given[local] !== undefined) throw new Error(`${local} is for the local stack; take it out of what is deployed.`)
  }
  say('Settings are complete.')
  const set = (Object.keys(variables) as Name[]).filter((name) => given[name] !== undefined)
  const secrets = Object.fromEntries(set.filter((name) => variables[name].secret).map((name) => [name, given[name]]))
  const plain = set.filter((name) => !variables[name].secret)
  if (dryRun) say('Would migrate the database.')
  else say(await migrateDatabase(given))
  const parameters = plain.flatMap((name) => ['--var', `${name}:${given[name]}`])
  if (dryRun) {
    await wrangler(['deploy', ...parameters, '--dry-run', '--outdir', 'dist/worker'])
    return say(`The Worker bundles. Would set ${Object.keys(secrets).length} secrets and deploy it.`)
  }
  const output = await withFile(JSON.stringify(secrets), (file) =>
    wrangler(['deploy', ...parameters, '--secrets-file', file]),
  )
  const [url] = /https:\/\/\S+\.workers\.dev/.exec(output) ?? []
  if (url === undefined) return say('Deployed. Ask /ok on its address whether it is up.')
  say(await healthOf(url, given))
}

/** Asks the new deployment how its services are; where others sign the tokens, whether it is up at all. */
async function healthOf(url: string, given: NodeJS.Dict<string>): Promise<string> {
  const { AUTH_SECRET: auth, AUTH_JWKS_URL, AUTH_ISSUER: iss, AUTH_AUDIENCE: aud } = given
  const answer =
    auth === undefined || AUTH_JWKS_URL !== undefined
      ? await fetch(`${url}/ok`)
      : await fetch(`${url}/health`, {
          headers: { authorization: `Bearer ${await operatorToken({ auth, iss, aud })}` },
        })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} is deployed and not well: ${text}\n\`npx wrangler tail\` shows why.`)
  return `Deployed, and well: ${url} ${text}`
}

function operatorToken({
  auth,
  iss,
  aud,
}: {
  auth: string
  iss: string | undefined
  aud: string | undefined
}): Promise<string> {
  const claims = { ...(iss && { iss }), ...(aud && { aud }) }
  return tokenFor({ auth }, { tenant: 'deployment', user: 'deploy', scopes: ['operate'], claims })
}

async function wrangler(parameters: readonly string[]): Promise<string> {
  const program = fileURLToPath(new URL('../node_modules/wrangler/bin/wrangler.js', import.meta.url))
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' }
  return (await run(process.execPath, [program, ...parameters], { env })).stdout
}

/** Secrets go by a file that only this user can read, and that is gone afterwards: a command line can be read by all. */
async function withFile<Result>(text: string, use: (file: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'recollect-'))
  try {
    const file = join(directory, 'secrets.json')
    await writeFile(file, text, { mode: 0o600 })
    return await use(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: unknown) => {
  const output = typeof error === 'object' && error !== null && 'stderr' in error ? `\n${error.stderr}` : ''
  process.stderr.write(
    `Not deployed: ${isRecollectError(error) || error instanceof Error ? error.message : error}${output}\n`,
  )
  process.exitCode = 1
})
