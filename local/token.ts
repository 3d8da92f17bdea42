// `npm run token`: a token for the local stack, on standard output.
import { parseArgs } from 'node:util'
import { localSecrets, tokenFor } from './secrets.ts'

const { values } = parseArgs({
  options: {
    tenant: { type: 'string', default: 'local' },
    user: { type: 'string', default: 'you' },
    scope: { type: 'string', multiple: true, default: ['chat'] },
    data: { type: 'string', default: '.recollect' },
  },
})

const token = await tokenFor(await localSecrets(values.data), { ...values, scopes: values.scope })
process.stdout.write(`${token}\n`)
