// The deployment about itself: alive, which version, which routes.
import * as z from 'zod/mini'
import { docsPage } from './docs-page.ts'
import { openApiText } from './openapi-text.ts'
import { Text } from './plain.ts'
import { type Route, route } from './route.ts'
import { JsonObject } from './schemas.ts'
import { json } from './wire.ts'

/** That of package.json, which a Worker does not have; a test holds them equal. */
export const version = '0.2.0'

const tag = 'Deployment'

export const metaRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/ok',
    scopes: [],
    tag,
    summary: 'Whether the process answers',
    responses: { 200: { description: 'It does', schema: () => z.strictObject({ ok: z.literal(true) }) } },
    handle: () => json({ ok: true }),
  }),
  route({
    method: 'GET',
    path: '/info',
    scopes: ['chat', 'approve', 'operate'],
    tag,
    summary: 'Version and abilities',
    responses: {
      200: {
        description: 'As the LangGraph clients ask for it',
        schema: () => z.strictObject({ version: Text, server: z.literal('recollect'), flags: JsonObject() }),
      },
    },
    handle: () => json({ version, server: 'recollect', flags: { assistants: true, crons: false, langsmith: false } }),
  }),
  route({
    method: 'GET',
    path: '/openapi.json',
    scopes: [],
    tag,
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1', schema: JsonObject } },
    handle: () =>
      new Response(openApiText, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } }),
  }),
  route({
    method: 'GET',
    path: '/docs',
    scopes: [],
    tag,
    summary: 'This document as a page',
    responses: { 200: { description: 'A page that loads nothing from elsewhere', contentType: 'text/html' } },
    handle: () =>
      new Response(docsPage(JSON.parse(openApiText)), {
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy':
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        },
      }),
  }),
]
