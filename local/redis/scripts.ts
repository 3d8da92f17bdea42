// EVAL and its family: which script, which keys, which flags. The Lua itself is in lua/.
import { createHash } from 'node:crypto'
import type { Bytes } from './bytes.ts'
import { type Commands, outsideScripts } from './command.ts'
import { LuaMachine } from './lua/machine.ts'
import { integer } from './numbers.ts'
import { fail, ok, type Reply, ReplyError } from './reply.ts'

export type ScriptCall = (words: Bytes[], readOnly: boolean) => Reply

const flagNames = new Set(['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'])
/** Upstash's own: locks only KEYS. Here one thread runs everything, so there is nothing to lock. */
flagNames.add('allow-key-locking')

export const sha1 = (bytes: Bytes): string => createHash('sha1').update(Buffer.from(bytes, 'latin1')).digest('hex')

interface Script {
  sha: string
  readOnly: boolean
  /** Without the shebang, whose line stays as an empty one so that line numbers hold. */
  source: Bytes
}

function parse(body: Bytes): Script {
  const sha = sha1(body)
  if (!body.startsWith('#!')) return { sha, readOnly: false, source: body }
  const end = body.indexOf('\n')
  if (end < 0) fail('ERR Invalid script shebang')
  const [engine, ...options] = body.slice(0, end).trim().split(/\s+/)
  if (engine !== '#!lua') fail(`ERR Unexpected engine in script shebang: ${engine}`)
  let readOnly = false
  for (const option of options) {
    if (!option.startsWith('flags=')) fail(`ERR Unknown lua shebang option: ${option}`)
    for (const flag of option.slice('flags='.length).split(',')) {
      if (!flagNames.has(flag)) fail(`ERR Unexpected flag in script shebang: ${flag}`)
      if (flag === 'no-writes') readOnly = true
    }
  }
  return { sha, readOnly, source: body.slice(end) }
}

export function scriptCommands(call: ScriptCall): Commands {
  const machine = new LuaMachine(call)
  let scripts = new Map<string, Script>()

  const load = (body: Bytes): Script => {
    const known = scripts.get(sha1(body))
    if (known !== undefined) return known
    const script = parse(body)
    machine.compile(script.sha, script.source)
    scripts.set(script.sha, script)
    return script
  }

  const bySha = (sha: Bytes): Script => {
    const script = scripts.get(sha.toLowerCase())
    if (script === undefined) throw new ReplyError('NOSCRIPT No matching script. Please use EVAL.')
    return script
  }

  const evaluate = (find: (script: Bytes) => Script, readOnly: boolean) =>
    outsideScripts(-3, (_, which, numkeys, ...rest) => {
      const size = integer(numkeys)
      if (size > rest.length) fail("ERR Number of keys can't be greater than number of args")
      if (size < 0) fail("ERR Number of keys can't be negative")
      const script = find(which)
      return machine.run(script.sha, {
        keys: rest.slice(0, size),
        args: rest.slice(size),
        readOnly: readOnly || script.readOnly,
      })
    })

  return {
    EVAL: evaluate(load, false),
    EVALSHA: evaluate(bySha, false),
    EVAL_RO: evaluate(load, true),
    EVALSHA_RO: evaluate(bySha, true),
    'SCRIPT|LOAD': outsideScripts(3, (_, body) => load(body).sha),
    'SCRIPT|EXISTS': outsideScripts(-3, (_, ...shas) => shas.map((sha) => Number(scripts.has(sha.toLowerCase())))),
    'SCRIPT|FLUSH': outsideScripts(-2, (_, ...mode) => {
      if (mode.length > 1 || !/^(?:a?sync)?$/i.test(mode[0] ?? ''))
        fail('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
      scripts = new Map()
      machine.forget()
      return ok
    }),
  }
}
