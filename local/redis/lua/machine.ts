// A Lua machine for scripts: compiles them once, runs them, and words their failures as Redis does.
import { createHash } from 'node:crypto'
import fengari, { type LuaFunction, type LuaState } from 'fengari'
import { type Bytes, fromText } from '../bytes.ts'
import { type Reply, ReplyError } from '../reply.ts'
import { pushCjson } from './cjson.ts'
import { keepNumbersDouble } from './numbers.ts'
import { prelude } from './prelude.ts'
import {
  fieldAt,
  luaString,
  pushList,
  pushReply,
  pushString,
  pushTableOf,
  raise,
  replyAt,
  stringAt,
  wordsOf,
} from './values.ts'

const { lua, lauxlib, lualib } = fengari

/** A script that runs longer would stop every other caller: the machine has one thread, as Redis has. */
const timeLimitMs = 5000
const hookEvery = 100_000

const chunkText = '@user_script'
const chunkName = luaString(chunkText)
const textOnly = luaString('t')

export interface ScriptInput {
  keys: Bytes[]
  args: Bytes[]
  readOnly: boolean
}

export class LuaMachine {
  #state: LuaState
  #call: (words: Bytes[], readOnly: boolean) => Reply
  /** Compiled functions in the registry, by SHA-1. */
  #compiled = new Map<string, number>()
  #readOnly = false
  #failure = new ReplyError('ERR script failed')

  constructor(call: (words: Bytes[], readOnly: boolean) => Reply) {
    keepNumbersDouble()
    this.#call = call
    this.#state = lauxlib.luaL_newstate()
    this.#open()
  }

  compile(sha: string, source: Bytes): void {
    const state = this.#state
    const bytes = luaString(source)
    const status = lauxlib.luaL_loadbufferx(state, bytes, bytes.length, chunkName, textOnly)
    if (status !== lua.LUA_OK) {
      const message = stringAt(state, -1)
      lua.lua_settop(state, 0)
      throw new ReplyError(`ERR Error compiling script (new function): ${message}`)
    }
    this.#compiled.set(sha, lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX))
  }

  run(sha: string, { keys, args, readOnly }: ScriptInput): Reply {
    const state = this.#state
    this.#readOnly = readOnly
    this.#setGlobal('KEYS', keys)
    this.#setGlobal('ARGV', args)
    lua.lua_pushcfunction(state, this.#explain(sha))
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#compiled.get(sha) ?? 0)
    const deadline = performance.now() + timeLimitMs
    const stopLate = () => {
      if (performance.now() > deadline) raise(state, `Script killed: it ran for more than ${timeLimitMs} ms`)
    }
    lua.lua_sethook(state, stopLate, lua.LUA_MASKCOUNT, hookEvery)
    try {
      if (lua.lua_pcall(state, 0, 1, 1) !== lua.LUA_OK) return this.#failure
      return replyAt(state, -1)
    } finally {
      lua.lua_sethook(state, null, 0, 0)
      lua.lua_settop(state, 0)
    }
  }

  forget(): void {
    for (const reference of this.#compiled.values()) lauxlib.luaL_unref(this.#state, lua.LUA_REGISTRYINDEX, reference)
    this.#compiled.clear()
  }

  #open(): void {
    const state = this.#state
    const libraries: [string, LuaFunction][] = [
      ['_G', lualib.luaopen_base],
      ['coroutine', lualib.luaopen_coroutine],
      ['table', lualib.luaopen_table],
      ['string', lualib.luaopen_string],
      ['math', lualib.luaopen_math],
    ]
    for (const [name, open] of libraries) lauxlib.luaL_requiref(state, luaString(name), open, true)
    pushCjson(state)
    lua.lua_setglobal(state, luaString('cjson'))
    this.#pushRedis()
    lua.lua_setglobal(state, luaString('redis'))
    // A failure of ours, or of JavaScript's stack, becomes an error that the script's caller reads.
    lua.lua_atnativeerror(state, (inner) => {
      pushString(inner, fromText(String(lua.lua_touserdata(inner, 1))))
      return 1
    })
    const source = luaString(prelude)
    lauxlib.luaL_loadbufferx(state, source, source.length, luaString('=prelude'), textOnly)
    lua.lua_call(state, 0, 0)
    lua.lua_settop(state, 0)
  }

  #pushRedis(): void {
    const state = this.#state
    const functions: Record<string, LuaFunction> = {
      call: this.#callRedis(true),
      pcall: this.#callRedis(false),
      error_reply: (inner) => replyTable(inner, 'err'),
      status_reply: (inner) => replyTable(inner, 'ok'),
      sha1hex: (inner) => {
        const hash = createHash('sha1').update(Buffer.from(stringAt(inner, 1), 'latin1'))
        pushString(inner, hash.digest('hex'))
        return 1
      },
      replicate_commands: (inner) => {
        lua.lua_pushboolean(inner, true)
        return 1
      },
      log: () => 0,
    }
    const numbers: Record<string, number> = { LOG_DEBUG: 0, LOG_VERBOSE: 1, LOG_NOTICE: 2, LOG_WARNING: 3 }
    lua.lua_createtable(state, 0, 11)
    for (const [name, run] of Object.entries(functions)) {
      lua.lua_pushcfunction(state, run)
      lua.lua_setfield(state, -2, luaString(name))
    }
    for (const [name, value] of Object.entries(numbers)) {
      lua.lua_pushnumber(state, value)
      lua.lua_setfield(state, -2, luaString(name))
    }
  }

  #callRedis =
    (raises: boolean): LuaFunction =>
    (state) => {
      let reply: Reply
      try {
        reply = this.#call(wordsOf(state), this.#readOnly)
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        reply = error
      }
      pushReply(state, reply)
      if (raises && reply instanceof ReplyError) lua.lua_error(state)
      return 1
    }

  /** Runs where the error happened, while the stack still knows the line. */
  #explain =
    (sha: string): LuaFunction =>
    (state) => {
      const isTable = lua.lua_type(state, 1) === lua.LUA_TTABLE
      const isText = [lua.LUA_TSTRING, lua.LUA_TNUMBER].includes(lua.lua_type(state, 1))
      const problem = isTable
        ? (fieldAt(state, 1, 'err') ?? 'ERR unknown error')
        : `ERR ${isText ? stringAt(state, 1) : 'unknown error'}`
      this.#failure = new ReplyError(`${problem} script: ${sha}, on @user_script:${currentLine(state)}.`)
      return 1
    }

  #setGlobal(name: string, items: Bytes[]): void {
    const state = this.#state
    // Raw, because the prelude made assigning to a global an error.
    lua.lua_pushglobaltable(state)
    pushString(state, name)
    pushList(state, items)
    lua.lua_rawset(state, -3)
    lua.lua_pop(state, 1)
  }
}

/** The line of the nearest function that the script wrote. */
function currentLine(state: LuaState): number {
  const activation = new lua.lua_Debug()
  for (let level = 1; lua.lua_getstack(state, level, activation) !== 0; level++) {
    lua.lua_getinfo(state, luaString('Sl'), activation)
    const isScript = Buffer.from(activation.source ?? []).toString('latin1') === chunkText
    if (isScript && activation.currentline > 0) return activation.currentline
  }
  return 0
}

function replyTable(state: LuaState, field: 'ok' | 'err'): number {
  const isText = lua.lua_gettop(state) === 1 && lua.lua_type(state, 1) === lua.LUA_TSTRING
  const text = isText ? stringAt(state, 1) : undefined
  if (text === undefined) pushTableOf(state, 'err', 'ERR wrong number or type of arguments')
  else if (field === 'ok') pushTableOf(state, 'ok', text)
  else pushTableOf(state, 'err', errorText(text))
  return 1
}

/** A message without a code of its own gets ERR. */
function errorText(text: Bytes): Bytes {
  const message = text.startsWith('-') ? text.slice(1) : text
  return message.includes(' ') ? message : `ERR ${message}`
}
