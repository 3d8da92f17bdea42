// Serves the receiver: `node examples/slack-approvals/serve.ts`, with the environment that README.md lists.
import { createServer } from 'node:http'
import { slackReceiver } from './receiver.ts'

const names = [
  'RECOLLECT_URL',
  'RECOLLECT_TENANT',
  'RECOLLECT_ENDPOINT_SECRET',
  'RECOLLECT_KEY',
  'SLACK_SIGNING_SECRET',
  'SLACK_WEBHOOK_URL',
] as const

function setting(name: (typeof names)[number]): string {
  const value = process.env[name]
  if (!value) throw new Error(`Set ${name}. All that are needed: ${names.join(', ')}.`)
  return value
}

const app = slackReceiver({
  recollect: { url: setting('RECOLLECT_URL'), tenant: setting('RECOLLECT_TENANT') },
  endpointSecret: setting('RECOLLECT_ENDPOINT_SECRET'),
  key: setting('RECOLLECT_KEY'),
  slack: {
    signingSecret: setting('SLACK_SIGNING_SECRET'),
    webhookUrl: setting('SLACK_WEBHOOK_URL'),
    ...(process.env.SLACK_APPROVERS && { approvers: process.env.SLACK_APPROVERS.split(',') }),
  },
})

const port = Number(process.env.PORT ?? 8790)

createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)])
  const { method = 'GET' } = request
  const sent = { method, headers, ...(chunks.length > 0 && { body: new Uint8Array(Buffer.concat(chunks)) }) }
  const answer = await app.fetch(new Request(`http://${request.headers.host}${request.url}`, sent))
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
}).listen(port, () => console.log(`Listening on port ${port}: /recollect and /slack/interactions`))
