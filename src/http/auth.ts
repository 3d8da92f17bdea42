// Who is asking: a JSON Web Token in `Authorization: Bearer …` or `x-api-key`, and the principal that its claims name.
import { verify, verifyWithJwks } from 'hono/jwt'
import { isRecollectError, RecollectError } from '../kernel/errors.ts'
import { assertPrincipal } from '../kernel/id.ts'
import { isRecord } from '../kernel/json.ts'
import { type KeySet, keySource } from './key-set.ts'
import { type Principal, type Scope, scopes } from './service.ts'

/**
 * How tokens are checked: by one HS256 secret, or by the public keys of an issuer. Never by both, so that a public key
 * cannot be taken for a secret. Claims: `tenant`, `sub` (the user), `scope` (words or an array), `exp`.
 */
export type Auth = (
  | {
      /** At least 32 bytes (RFC 7518 §3.2). */
      readonly secret: string
    }
  | {
      /** The URL of a JSON Web Key Set, or the set itself. */
      readonly jwks: string | KeySet
    }
) & {
  /** The `iss` that a token must have. Not checked unless given. */
  readonly issuer?: string
  /** The `aud` that a token must have. Not checked unless given. */
  readonly audience?: string
}

/** Throws `token_missing` or `token_invalid`; never with a part of the token. */
export type Authenticate = (headers: Headers) => Promise<Principal>

const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** Throws `environment_invalid` for a secret that is too short to be one. */
export function authenticator(auth: Auth): Authenticate {
  const claims = claimsOf(auth)
  return async (headers) => {
    const token = tokenIn(headers)
    if (token === undefined) {
      throw new RecollectError(
        'token_missing',
        'This needs a token: send it as "Authorization: Bearer <token>" or "x-api-key: <token>".',
      )
    }
    try {
      return principalOf(await claims(token))
    } catch (error) {
      if (isRecollectError(error)) throw error
      // The library's messages quote the token.
      throw invalid(`The token ${reasons[error instanceof Error ? error.name : ''] ?? unsound}`)
    }
  }
}

/** Throws `scope_missing` unless the principal has one of `wanted`. */
export function assertScope(principal: Principal, wanted: readonly Scope[]): void {
  if (wanted.some((scope) => principal.scopes.has(scope))) return
  throw new RecollectError(
    'scope_missing',
    `The token has not the scope ${wanted.map((scope) => `"${scope}"`).join(' or ')}. Ask for one that has.`,
    { details: { scopes: wanted } },
  )
}

function claimsOf(auth: Auth): (token: string) => Promise<unknown> {
  const verification = {
    ...(auth.issuer !== undefined && { iss: auth.issuer }),
    ...(auth.audience !== undefined && { aud: auth.audience }),
    // "Issued at" is information, not a limit: an issuer whose clock is a second ahead must not lock people out.
    iat: false,
  }
  if ('secret' in auth) {
    const { secret } = auth
    if (new TextEncoder().encode(secret).length < 32) {
      throw new RecollectError(
        'environment_invalid',
        'The secret that tokens are signed with must have at least 32 bytes. Make one: openssl rand -base64 32.',
      )
    }
    return (token) => verify(token, secret, { alg: 'HS256', ...verification })
  }
  const keys = keySource(auth.jwks)
  return async (token) => {
    const { keys: known } = await keys(token)
    return verifyWithJwks(token, { keys: [...known], allowedAlgorithms: asymmetric, verification })
  }
}

function tokenIn(headers: Headers): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1]
  return bearer ?? (headers.get('x-api-key')?.trim() || undefined)
}

function principalOf(claims: unknown): Principal {
  const { tenant, sub, scope, exp } = isRecord(claims) ? claims : {}
  if (typeof exp !== 'number') throw invalid('The token has no "exp": one that never expires is not accepted.')
  try {
    assertPrincipal('tenant', tenant)
    assertPrincipal('user', sub)
  } catch {
    throw invalid('The token must have the claims "tenant" and "sub": strings of 1 to 256 characters.')
  }
  const named: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : Array.isArray(scope) ? scope : []
  return { tenant, user: sub, scopes: new Set(scopes.filter((known) => named.includes(known))) }
}

const unsound = 'is not one that is accepted here: its form, its algorithm or its signature is wrong.'

const reasons: Readonly<Record<string, string>> = {
  JwtTokenExpired: 'has expired. Get a new one.',
  JwtTokenNotBefore: 'is not valid yet.',
  JwtTokenIssuer: 'is from another issuer.',
  JwtTokenAudience: 'is for another audience.',
  JwtPayloadRequiresAud: 'names no audience, and one is required here.',
}

function invalid(message: string): RecollectError {
  return new RecollectError('token_invalid', message)
}
