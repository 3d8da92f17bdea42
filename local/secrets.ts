// The local stack's secrets, made once and kept beside its data, and the tokens that are signed with one of them.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sign } from 'hono/jwt'

export interface LocalSecrets {
  readonly auth: string
  readonly cache: string
  readonly database: string
  readonly redis: string
  readonly webhooks: string
  readonly vector: string
}

export async function localSecrets(directory: string): Promise<LocalSecrets> {
  const file = join(directory, 'secrets.json')
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  const before = kept === undefined ? {} : parsed(kept, file)
  const fresh = () => randomBytes(32).toString('base64url')
  const made: LocalSecrets = {
    auth: fresh(),
    cache: fresh(),
    database: fresh(),
    redis: fresh(),
    vector: fresh(),
    webhooks: fresh(),
  }
  // A folder of an earlier version has fewer: the rest is added, and tokens given out before stay good.
  const secrets: LocalSecrets = { ...made, ...before }
  if (Object.keys(made).some((name) => !(name in before))) {
    await mkdir(directory, { recursive: true })
    await writeFile(file, JSON.stringify(secrets, undefined, 2), { mode: 0o600 })
  }
  return secrets
}

function parsed(text: string, file: string): Partial<LocalSecrets> {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${file} is damaged. Delete it: new secrets are made, and tokens given out before are refused.`)
  }
}

export interface TokenContent {
  readonly tenant: string
  readonly user: string
  readonly scopes: readonly string[]
  /** Others, such as `iss`. */
  readonly claims?: Readonly<Record<string, string>>
}

const lifetimeSeconds = 30 * 86_400

export function tokenFor(
  { auth }: Pick<LocalSecrets, 'auth'>,
  { tenant, user, scopes, claims }: TokenContent,
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  return sign(
    { ...claims, tenant, sub: user, scope: scopes.join(' '), iat: now, exp: now + lifetimeSeconds },
    auth,
    'HS256',
  )
}
