// Which service the CLI speaks to, and as whom.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { localSecrets, tokenFor } from '../local/secrets.ts'
import { UsageError } from './command.ts'

export interface Target {
  readonly url: string
  readonly token: string
}

type Given = Readonly<Record<string, string | undefined>>

const localUrl = 'http://127.0.0.1:8787'

/** `--url`, else `RECOLLECT_URL`, else the local stack. The token is `RECOLLECT_TOKEN`; for the local stack it is made. */
export async function targetOf(options: Given, environment: Given): Promise<Target> {
  const url = options.url ?? (environment.RECOLLECT_URL || localUrl)
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`"${url}" is no address of a service, such as https://agent.example.com.`)
  }
  const { hostname, protocol } = new URL(url)
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
  if (!isLocal && protocol === 'http:')
    throw new UsageError(`A token is not sent unencrypted to ${hostname}: use https.`)
  const token = environment.RECOLLECT_TOKEN || (isLocal ? await localToken(options) : undefined)
  if (token !== undefined) return { url, token }
  throw new UsageError(`${hostname} needs a token: put it in the environment as RECOLLECT_TOKEN.`)
}

/** As `npm run token` makes it. Of the whole tenant unless told otherwise: whoever has the secrets is its operator. */
async function localToken({ data = '.recollect', tenant = 'local', user = 'you', scope }: Given): Promise<string> {
  if (!existsSync(join(data, 'secrets.json'))) {
    throw new UsageError(`There is no local stack in ${data}. Start one with npm run dev, or set RECOLLECT_TOKEN.`)
  }
  const scopes = (scope ?? 'chat approve operate').split(/[\s,]+/)
  return tokenFor(await localSecrets(data), { tenant, user, scopes })
}
