// `npm run token`: a token for the local stack, on standard output.
import { argumentsOf } from '../scripts/arguments.ts'
import { localSecrets, tokenFor } from './secrets.ts'

const values = argumentsOf('npm run -s token -- [--tenant TENANT] [--user USER] [--scope SCOPE]… [--data DIR]', {
  tenant: { type: 'string', default: 'local' },
  user: { type: 'string', default: 'you' },
  scope: { type: 'string', multiple: true, default: ['chat'] },
  data: { type: 'string', default: '.recollect' },
})

const token = await tokenFor(await localSecrets(values.data), { ...values, scopes: values.scope })
process.stdout.write(`${token}\n`)
