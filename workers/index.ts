// The Worker's entry points: requests, and the cron that finishes what was cut off.
import { compile } from './compile.ts'
import type { Env } from '../src/index.ts'

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    compile(env)
    return new Response('ok ' + request.url)
  },
  async scheduled(_c: unknown, env: Env) { compile(env); console.log('cron') },
}
