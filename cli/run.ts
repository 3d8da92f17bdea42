// One call of the CLI, from its words to what it prints.
import { parseArgs } from 'node:util'
import { approvalCommands } from './approvals.ts'
import { checkpointCommands } from './checkpoints.ts'
import { type Command, type Option, UsageError } from './command.ts'
import { RefusedError, Service, UnreachableError } from './service.ts'
import { targetOf } from './target.ts'
import { block } from './text.ts'
import { threadCommands } from './threads.ts'
import { webhookCommands } from './webhooks.ts'

const commands: Readonly<Record<string, Command>> = {
  ...threadCommands,
  ...checkpointCommands,
  ...approvalCommands,
  ...webhookCommands,
}

const everywhere: Readonly<Record<string, Option>> = {
  json: { summary: 'prints what the service answered, as JSON' },
  url: { value: 'URL', summary: 'the service; RECOLLECT_URL, else the local stack' },
  tenant: { value: 'TENANT', summary: 'of the local stack, where there is no RECOLLECT_TOKEN: whose token; local' },
  user: { value: 'USER', summary: 'the same: you' },
  scope: { value: 'SCOPES', summary: 'the same: chat,approve,operate' },
  data: { value: 'DIR', summary: 'where the local stack keeps its data; .recollect' },
  help: { summary: 'says this' },
}

export interface Ended {
  /** 0; 1 where the service refused or the run failed; 2 where nothing was sent; 3 where nobody answered. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** `recollect(['threads', '--json'], process.env)`. Never throws. */
export async function recollect(parameters: readonly string[], environment: Environment): Promise<Ended> {
  try {
    return { code: 0, stdout: `${await ran(parameters, environment)}\n`, stderr: '' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const problem = error instanceof RefusedError ? error.problem : { code: 'cli_failed', detail: message }
    const code = error instanceof UsageError ? 2 : error instanceof UnreachableError ? 3 : 1
    return { code, stdout: '', stderr: `${parameters.includes('--json') ? JSON.stringify(problem) : block(message)}\n` }
  }
}

async function ran([name = '', ...rest]: readonly string[], environment: Environment): Promise<string> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    if (name === '' || name === 'help' || name === '--help') return help()
    throw new UsageError(`There is no command "${name}". There are: ${Object.keys(commands).join(', ')}.`)
  }
  const { words, options, json, wantsHelp } = parsed(name, command, rest)
  if (wantsHelp) return helpFor(name, command)
  const service = new Service(await targetOf(options, environment))
  const { data, text } = await command.run({ service, words, options })
  return json ? JSON.stringify(data) : text
}

function parsed(name: string, command: Command, rest: readonly string[]) {
  const known = { ...everywhere, ...command.options }
  const types = Object.entries(known).map(([option, { value }]) => [option, { type: value ? 'string' : 'boolean' }])
  let given: ReturnType<typeof parseArgs>
  try {
    given = parseArgs({ args: [...rest], allowPositionals: true, options: Object.fromEntries(types) })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usageOf(name, command)}`)
  }
  const { values, positionals: words } = given
  const wantsHelp = values.help === true
  const required = command.words.filter((word) => !word.startsWith('[')).length
  if (!wantsHelp && (words.length < required || words.length > command.words.length || words.includes(''))) {
    throw new UsageError(usageOf(name, command))
  }
  const texts = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { words, options: Object.fromEntries(texts), json: values.json === true, wantsHelp }
}

function help(): string {
  const lines = Object.entries(commands).map(
    ([name, { words, summary }]) => [[name, ...words].join(' '), summary] as const,
  )
  const width = Math.max(...lines.map(([usage]) => usage.length))
  const list = lines.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`).join('\n')
  return `npm run recollect -- COMMAND [options]\n\n${list}\n\nOptions of every command:\n${optionLines(everywhere)}`
}

function helpFor(name: string, command: Command): string {
  const own = command.options === undefined ? '' : `\n${optionLines(command.options)}`
  return `${usageOf(name, command)}\n${command.summary}.\n${own}\nOptions of every command:\n${optionLines(everywhere)}`
}

function usageOf(name: string, { words, options = {} }: Command): string {
  const own = Object.entries(options).map(([option, { value }]) => `[--${option}${value ? ` ${value}` : ''}]`)
  return ['Usage: npm run recollect --', name, ...words, ...own].join(' ')
}

function optionLines(options: Readonly<Record<string, Option>>): string {
  const lines = Object.entries(options).map(([name, { value, summary }]) => [
    `--${name}${value ? ` ${value}` : ''}`,
    summary,
  ])
  const width = Math.max(...lines.map(([option = '']) => option.length))
  return lines.map(([option = '', summary]) => `  ${option.padEnd(width)}  ${summary}`).join('\n')
}
