// The review page's routes: a link is made for one approval, GET shows what will run, POST decides. Scanners of mail open links; they do not post.

import * as z from 'zod/mini'
import { RecollectError } from '../kernel/errors.ts'
import { hashOf } from '../kernel/hash.ts'
import { assertPrincipal } from '../kernel/id.ts'
import type { ApprovalRecord } from '../ports/approvals.ts'
import { answered } from './answers.ts'
import { refusals } from './approvals.ts'
import { lazily } from './lazily.ts'
import { DateTime, Text } from './plain.ts'
import { knownError, logFailure } from './problem.ts'
import { type ReviewLink, reviewLinkOf, reviewUrl } from './review-link.ts'
import { refusalPage, reviewPage } from './review-page.ts'
import { type Call, type Route, type RouteResponse, route } from './route.ts'
import { maybe } from './schemas.ts'
import type { ReviewLinks, Service } from './service.ts'
import { json } from './wire.ts'

const tag = 'Approvals'
const path = '/approvals/:approval_id/review'
const page: RouteResponse = { description: 'A page of HTML', contentType: 'text/html' }
const refusalPages = Object.fromEntries(
  Object.entries(refusals).map(([status, { description }]) => [status, { ...page, description }]),
)
const pages = { 200: page, 401: { ...page, description: 'The link is not valid, or no longer' }, ...refusalPages }

const weekSeconds = 7 * 86_400
const Token = lazily(() => z.object({ token: z.optional(Text) }))

type PageCall = Call<{ readonly approval_id: string }, { readonly token?: string | undefined }>

export const reviewRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/approvals/:approval_id/link',
    scopes: ['operate'],
    tag,
    summary: 'Make a link to the review page',
    description:
      'Whoever has it may answer, once, until it expires (a day unless told otherwise, a week at most). `by` is kept as who answered; an approval that only some may answer needs it.',
    body: () => z.strictObject({ by: maybe(Text), expires_in_seconds: maybe(z.int().check(z.positive())) }),
    responses: {
      200: { description: 'The link', schema: () => z.strictObject({ url: Text, expires_at: DateTime }) },
    },
    handle: async (call) => {
      const { tenant } = call.principal
      const { by = null, expires_in_seconds: seconds } = call.body
      if (by !== null) assertPrincipal('user', by)
      const links = linksOf(call.service)
      const approval = await approvalOf(call, tenant, call.parameters.approval_id)
      assertOpenTo(approval, by)
      const exp = Math.floor(Date.now() / 1_000) + Math.min(seconds ?? 86_400, weekSeconds)
      const url = await reviewUrl(links, { tenant, approval: approval.id, by, exp }, new URL(call.request.url).origin)
      return json({ url, expires_at: new Date(exp * 1_000).toISOString() })
    },
  }),
  route({
    method: 'GET',
    path,
    scopes: [],
    tag,
    summary: 'See exactly what will run',
    description: 'The link is the token. Opening it changes nothing.',
    query: Token,
    responses: pages,
    handle: (call) =>
      shown(async () => {
        const link = await linkOf(call)
        return reviewPage(await approvalOf(call, link.tenant, link.approval), link.by)
      }),
  }),
  route({
    method: 'POST',
    path,
    scopes: [],
    tag,
    summary: 'Decide',
    description:
      'A form: `decision` with `reason`, `arguments` or `text`, or `answer` as JSON. The same form sent twice is one answer.',
    query: Token,
    rawBody: { maxBytes: 65_536 },
    responses: { ...pages, 303: { description: 'It was accepted: back to the page' } },
    handle: (call) => shown(() => decided(call)),
  }),
]

async function decided(call: PageCall): Promise<Response> {
  const { tenant, approval: id, by } = await linkOf(call)
  const form = new TextDecoder().decode(call.rawBody)
  assertOpenTo(await approvalOf(call, tenant, id), by)
  const who = { tenant, user: null, by: by ?? 'review link', approver: true, via: 'review' }
  const key = `review:${hashOf(call.query.token ?? '', form)}`
  await answered(call, who, { id, answer: answerOf(new URLSearchParams(form)), key })
  const { pathname, search } = new URL(call.request.url)
  return new Response(null, { status: 303, headers: { location: `${pathname}${search}` } })
}

function answerOf(form: URLSearchParams): unknown {
  const answer = form.get('answer')
  if (answer !== null) return parsed('answer', answer)
  const decision = form.get('decision')
  const reason = form.get('reason')?.trim()
  const edited = form.get('arguments')
  const text = form.get('text')
  return {
    decision,
    ...(decision === 'reject' && reason && { reason }),
    ...(decision === 'edit' && edited !== null && { arguments: parsed('arguments', edited) }),
    ...(decision === 'respond' && text !== null && { text }),
  }
}

function parsed(field: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RecollectError('input_invalid', `The field "${field}" is not JSON. Go back and mend it.`)
  }
}

async function linkOf({ service, query, parameters }: PageCall): Promise<ReviewLink> {
  return reviewLinkOf(linksOf(service), query.token ?? '', parameters.approval_id)
}

async function approvalOf({ service, timing }: Call, tenant: string, id: string): Promise<ApprovalRecord> {
  const reading = service.checkpointer.approvals.get({ tenant, owner: null }, id)
  const approval = await timing.measure('storage', reading)
  if (approval !== undefined) return approval
  throw new RecollectError('approval_unknown', `There is no approval "${id}".`)
}

/** A link without a name could be in anybody's hands. */
function assertOpenTo({ id, approvers, notRequester }: ApprovalRecord, by: string | null): void {
  if (by !== null || (approvers === null && !notRequester)) return
  const problem = `Approval "${id}" is for some to answer only: make a link for one of them, with "by".`
  throw new RecollectError('approval_forbidden', problem)
}

function linksOf({ review }: Service): ReviewLinks {
  if (review !== undefined) return review
  throw new RecollectError('environment_invalid', 'This deployment has no review pages: set RECOLLECT_SECRET.')
}

/** The address is a secret: it is kept in no cache and told to nobody. What is refused is a page too. */
async function shown(make: () => Promise<ReturnType<typeof reviewPage> | Response>): Promise<Response> {
  let status = 200
  let made: Awaited<ReturnType<typeof make>>
  try {
    made = await make()
  } catch (error) {
    logFailure(error)
    const known = knownError(error)
    status = known.status
    made = await refusalPage(known.message)
  }
  if (made instanceof Response) return made
  return new Response(String(made), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    },
  })
}
