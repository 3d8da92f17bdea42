// The engine of `npm run dev`: real Postgres, embedded, one connection for everybody.
import { PGlite } from '@electric-sql/pglite'
import { serialize } from 'pg-protocol'
import {
  CommandCompleteMessage,
  DatabaseError,
  DataRowMessage,
  ReadyForQueryMessage,
  RowDescriptionMessage,
} from 'pg-protocol/dist/messages.js'
import { Parser } from 'pg-protocol/dist/parser.js'
import { openDataDirectory } from './data-directory.ts'
import { type Engine, type Result, runOn, type Session, type Statement } from './engine.ts'

/** The engine when it is open. Without a directory the data is gone with the process. */
export async function pgliteEngine(dataDirectory?: string): Promise<Engine> {
  const engine = openingPglite(dataDirectory)
  await engine.opened
  return engine
}

/** The engine at once, for there is more to start meanwhile. Throws when another process has the directory. */
export function openingPglite(dataDirectory?: string): Engine {
  const { database, close } = dataDirectory === undefined ? inMemory() : openDataDirectory(dataDirectory)
  // Whoever waits is told; before anybody does, a failure must not end the process.
  database.catch(() => {})
  const alone = async <Result>(work: (session: PgliteSession) => Promise<Result>) => {
    const opened = await database
    return opened.runExclusive(() => work(new PgliteSession(opened)))
  }
  return {
    opened: database,
    query: (statements, options = {}) => alone((session) => runOn(session, statements, options)),
    script: (text) => alone((session) => session.script(text)),
    close,
  }
}

function inMemory() {
  const database = PGlite.create()
  return { database, close: async () => (await database).close() }
}

class PgliteSession implements Session {
  private readonly database: PGlite
  private status = 'I'

  constructor(database: PGlite) {
    this.database = database
  }

  isIdle() {
    return this.status === 'I'
  }

  // The wire protocol and not `database.query()`: that one wants JavaScript values and gives them back parsed, and Neon speaks text.
  run({ text, params }: Statement): Promise<Result> {
    return this.exchange([
      serialize.parse({ text }),
      serialize.bind({ values: [...params] }),
      serialize.describe({ type: 'P' }),
      serialize.execute(),
      noInput,
      serialize.sync(),
    ])
  }

  async script(text: string) {
    await this.exchange([serialize.query(text), noInput])
  }

  private async exchange(messages: Buffer[]): Promise<Result> {
    const reply = await this.database.execProtocolRaw(Buffer.concat(messages))
    const fields: Result['fields'][number][] = []
    const rows: (string | null)[][] = []
    let tag = ''
    let failure: DatabaseError | undefined
    new Parser().parse(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength), (message) => {
      if (message instanceof DataRowMessage) rows.push(message.fields)
      else if (message instanceof RowDescriptionMessage) fields.push(...message.fields)
      else if (message instanceof CommandCompleteMessage) tag = message.text
      else if (message instanceof ReadyForQueryMessage) this.status = message.status
      else if (message instanceof DatabaseError) failure ??= message
    })
    if (failure !== undefined) throw failure
    return { fields, rows, ...commandOf(tag) }
  }
}

// `COPY … FROM STDIN` would wait for data that never comes and take the whole engine down; to any other statement this is nothing.
const noInput = serialize.copyFail('COPY is not spoken over HTTP')

/** `INSERT 0 5` → INSERT and 5; `CREATE TABLE` → CREATE and null. */
function commandOf(tag: string): Pick<Result, 'command' | 'rowCount'> {
  const [command = '', ...rest] = tag.split(' ')
  const count = rest.at(-1)
  return { command, rowCount: count !== undefined && /^\d+$/.test(count) ? Number(count) : null }
}
