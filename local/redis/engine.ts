// The engine: looks a command up, checks it, runs it, and hands on what must outlive the process.
//
// E1  One call of `execute` or `transaction` is one unit: the clock stands still in it, and its writes are one journal line.
// E2  What is journalled replays to the same data: with the line's own time, and with chance already decided.
import type { Bytes } from './bytes.ts'
import type { Command, Commands } from './command.ts'
import { connectionCommands } from './connection.ts'
import { expiryCommands } from './expiry.ts'
import { hashCommands } from './hashes.ts'
import { keyCommands } from './keys.ts'
import { Keyspace } from './keyspace.ts'
import { listCommands } from './lists.ts'
import { Channels, pubsubCommands } from './pubsub.ts'
import { type Reply, ReplyError, wrongArity } from './reply.ts'
import { scriptCommands } from './scripts.ts'
import { setCommands } from './sets.ts'
import { sortedSetAlgebraCommands } from './sorted-set-algebra.ts'
import { sortedSetRangeCommands } from './sorted-set-ranges.ts'
import { sortedSetCommands } from './sorted-sets.ts'
import { streamCommands } from './streams.ts'
import { stringCommands } from './strings.ts'
import { unavailable } from './unavailable.ts'

/** A command's arguments are spread on the call stack, which bears little more. */
const maxWords = 100_000

interface Found {
  name: string
  command: Command
  args: Bytes[]
}

export class Engine {
  readonly keys = new Keyspace()
  readonly channels = new Channels()
  readonly commands: Readonly<Commands>
  /** Called once per unit that wrote something (E1). */
  onWrites: ((atMs: number, writes: Bytes[][]) => void) | undefined
  #clock: () => number
  #writes: Bytes[][] = []

  constructor({ clock = Date.now }: { clock?: () => number } = {}) {
    this.#clock = clock
    this.commands = {
      ...connectionCommands,
      ...keyCommands,
      ...expiryCommands,
      ...stringCommands,
      ...hashCommands,
      ...listCommands,
      ...setCommands,
      ...sortedSetCommands,
      ...sortedSetRangeCommands,
      ...sortedSetAlgebraCommands,
      ...streamCommands,
      ...pubsubCommands(this.channels),
      ...scriptCommands((words, readOnly) => this.#callFromScript(words, readOnly)),
    }
  }

  /** Never throws a `ReplyError`: an error is a reply. */
  execute(words: Bytes[]): Reply {
    return this.#unit(() => this.#attempt(words))
  }

  /** Throws a `ReplyError`, and does nothing, where a command cannot even be queued. */
  transaction(commands: Bytes[][]): Reply[] {
    for (const words of commands) this.#resolve(words)
    return this.#unit(() => commands.map((words) => this.#attempt(words)))
  }

  /** Does again what a journal line holds (E2). */
  replay(atMs: number, writes: Bytes[][]): void {
    this.keys.now = atMs
    for (const words of writes) this.#run(this.#resolve(words), words)
    this.#writes = []
  }

  #unit<Result>(work: () => Result): Result {
    // A clock set back must not revive keys that were seen to be gone.
    this.keys.now = Math.max(this.keys.now, this.#clock())
    try {
      return work()
    } finally {
      const writes = this.#writes
      this.#writes = []
      if (writes.length > 0) this.onWrites?.(this.keys.now, writes)
    }
  }

  #attempt(words: Bytes[]): Reply {
    try {
      return this.#run(this.#resolve(words), words)
    } catch (error) {
      if (error instanceof ReplyError) return error
      throw error
    }
  }

  #run({ command, args }: Found, words: Bytes[]): Reply {
    const reply = command.run(this.keys, ...args)
    if (command.writes) {
      const write = this.keys.journalAs ?? words
      this.keys.journalAs = undefined
      if (write.length > 0) this.#writes.push(write)
    }
    return reply
  }

  #find([word = '', ...args]: Bytes[]): Found | undefined {
    const name = word.toUpperCase()
    const command = this.#named(name)
    if (command !== undefined) return { name, command, args }
    const [subword = '', ...rest] = args
    const full = `${name}|${subword.toUpperCase()}`
    const subcommand = this.#named(full)
    return subcommand && { name: full, command: subcommand, args: rest }
  }

  #named(name: string): Command | undefined {
    return Object.hasOwn(this.commands, name) ? this.commands[name] : undefined
  }

  #resolve(words: Bytes[]): Found {
    if (words.length > maxWords) throw new ReplyError(`ERR too many arguments: at most ${maxWords} here`)
    const found = this.#find(words)
    if (found === undefined) throw this.#unknown(words)
    if (!fits(found.command, words)) throw wrongArity(found.name)
    return found
  }

  #unknown([word = '', ...args]: Bytes[]): ReplyError {
    const name = word.toUpperCase()
    const refusal = unavailable([word])
    if (refusal !== undefined) return refusal
    if (Object.keys(this.commands).some((known) => known.startsWith(`${name}|`))) {
      if (args[0] === undefined) return wrongArity(name)
      return new ReplyError(`ERR unknown subcommand '${args[0].slice(0, 128)}'. Try ${name} HELP.`)
    }
    let shown = ''
    for (const argument of args) {
      if (shown.length >= 128) break
      shown += `'${argument.slice(0, 128 - shown.length)}' `
    }
    return new ReplyError(`ERR unknown command '${word.slice(0, 128)}', with args beginning with: ${shown}`)
  }

  #callFromScript(words: Bytes[], readOnly: boolean): Reply {
    const found = this.#find(words)
    if (found === undefined && unavailable(words) === undefined)
      throw new ReplyError('ERR Unknown Redis command called from script')
    if (found?.command.scriptable !== true) throw new ReplyError('ERR This Redis command is not allowed from script')
    if (!fits(found.command, words)) throw new ReplyError('ERR Wrong number of args calling Redis command from script')
    if (readOnly && found.command.writes)
      throw new ReplyError('ERR Write commands are not allowed from read-only scripts.')
    return this.#run(found, words)
  }
}

const fits = ({ arity }: Command, words: Bytes[]): boolean =>
  arity < 0 ? words.length >= -arity : words.length === arity
