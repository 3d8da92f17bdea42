// The curl commands of a shell snippet as requests: what a reader would send, without curl or a shell.

/** Variables of the shell as the snippets name them: `$BASE`, `$TOKEN`. */
export type Variables = Readonly<Record<string, string>>

export function curlsIn(shell: string, variables: Variables): Request[] {
  return commandsIn(shell)
    .map((command) => wordsOf(command, variables))
    .filter(([program]) => program === 'curl')
    .map(([, ...words]) => requestOf(words))
}

/** `npm run NAME` and `npx NAME`, for whoever checks that there is such a thing. */
export function scriptsIn(shell: string): string[] {
  return [...shell.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name)
}

/** One command a line; a line that ends in a backslash goes on, and so does one whose quote is open. */
function commandsIn(shell: string): string[] {
  const lines = shell.replaceAll('\\\n', ' ').split('\n')
  const commands: string[] = []
  let open = ''
  for (const line of lines) {
    open += open === '' ? line : `\n${line}`
    if ((open.match(/'/g)?.length ?? 0) % 2 === 1) continue
    commands.push(open)
    open = ''
  }
  return commands.filter((command) => command.trim() !== '')
}

/** Single quotes keep everything; elsewhere a variable is replaced. */
function wordsOf(command: string, variables: Variables): string[] {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []
  return words.map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"|[^'"]+/g, (part, single?: string, double?: string) => {
      if (single !== undefined) return single
      return (double ?? part).replace(/\$(\w+)/g, (_, name: string) => {
        const value = variables[name]
        if (value === undefined) throw new Error(`The snippet uses $${name}, which is not set.`)
        return value
      })
    }),
  )
}

function requestOf(words: readonly string[]): Request {
  const headers = new Headers()
  let url = ''
  let method: string | undefined
  let body: string | undefined
  const rest = [...words]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-H') headers.append(...headerOf(rest.shift() ?? ''))
    else if (word === '-X') method = rest.shift()
    else if (word === '-d') body = rest.shift()
    else if (!/^-[sNi]+$/.test(word)) url = word
  }
  return new Request(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers, body: body ?? null })
}

function headerOf(text: string): [string, string] {
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1).trim()]
}
