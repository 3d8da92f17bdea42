// The CLI against an application on loopback.
import { type Ended, recollect } from '../../cli/run.ts'
import { type Loopback, loopback } from '../e2e/loopback.ts'
import { tokenFor } from '../http/deployment.ts'
import { travelling } from '../http/travelling.ts'

export interface Operated extends ReturnType<typeof travelling> {
  readonly server: Loopback
  cli(...parameters: readonly string[]): Promise<Ended>
  /** What `--json` prints. It must have ended well. */
  data(...parameters: readonly string[]): Promise<unknown>
}

/** As whoever owns the threads, with every scope, unless told otherwise. */
export async function operated(claims: Parameters<typeof tokenFor>[0] = {}): Promise<Operated> {
  const all = travelling()
  const server = await loopback((request) => all.app.fetch(request))
  const token = await tokenFor({ scope: 'chat approve operate', ...claims })
  const environment = { RECOLLECT_URL: server.url, RECOLLECT_TOKEN: token }
  const cli = (...parameters: readonly string[]) => recollect(parameters, environment)
  const data = async (...parameters: readonly string[]) => {
    const { code, stdout, stderr } = await cli(...parameters, '--json')
    if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}`)
    return JSON.parse(stdout)
  }
  return { ...all, server, cli, data }
}
