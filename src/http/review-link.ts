// Links to review pages: each names one approval, and who may answer with it, until it expires.
import { sign, verify } from 'hono/jwt'
import { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { isRecord } from '../kernel/json.ts'
import type { ReviewLinks } from './service.ts'

export interface ReviewLink {
  readonly tenant: string
  /** Its id. */
  readonly approval: string
  /** Who was sent it, and answers; `null`: whoever has it. */
  readonly by: string | null
  /** Seconds since 1970. */
  readonly exp: number
}

/**
 * The URL of a page on which an approval is answered. `origin`: where this deployment is reached, unless its settings say it. Throws
 * `environment_invalid` for a secret that is too short.
 */
export async function reviewUrl(links: ReviewLinks, link: ReviewLink, origin = ''): Promise<string> {
  assertReviewSecret(links)
  const token = await sign({ ...link, aud: audience }, keyOf(links), 'HS256')
  return `${links.publicUrl ?? origin}/approvals/${link.approval}/review?token=${token}`
}

/** Throws `token_invalid`: for a link that is not ours, is for another approval, or has expired. */
export async function reviewLinkOf(links: ReviewLinks, token: string, approval: string): Promise<ReviewLink> {
  const claims: unknown = await verify(token, keyOf(links), { alg: 'HS256', aud: audience }).catch(() => undefined)
  if (isReviewLink(claims) && claims.approval === approval) return claims
  throw new RecollectError('token_invalid', 'This link is not valid, or no longer. Ask for a new one.')
}

/** Throws `environment_invalid`: whoever guesses the secret makes links of their own. */
export function assertReviewSecret({ secret }: ReviewLinks): void {
  if (secret.length >= 32) return
  throw new RecollectError('environment_invalid', 'The secret of review links must have 32 characters or more.')
}

const audience = 'review'

/** A key of its own: a token of the API is no link, and a link is no token, though one secret is behind both. */
function keyOf({ secret }: ReviewLinks): string {
  return hashOf('review links', secret)
}

function isReviewLink(claims: unknown): claims is ReviewLink & Record<string, unknown> {
  return isRecord(claims) && typeof claims.tenant === 'string' && typeof claims.exp === 'number' && 'by' in claims
}
