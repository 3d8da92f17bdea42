// Values between Lua and the engine: arguments in, replies both ways, and how an error is raised.
import fengari, { type LuaState } from 'fengari'
import type { Bytes } from '../bytes.ts'
import { type Reply, ReplyError, Status } from '../reply.ts'
import { formatG } from './numbers.ts'

const { lua, lauxlib } = fengari

export const luaString = (bytes: Bytes): Uint8Array => Uint8Array.from(Buffer.from(bytes, 'latin1'))

/** Only for a place that holds a string or a number; a number there becomes a string. */
export const stringAt = (state: LuaState, index: number): Bytes =>
  Buffer.from(lua.lua_tostring(state, index) ?? []).toString('latin1')

export const pushString = (state: LuaState, bytes: Bytes) => lua.lua_pushstring(state, luaString(bytes))

export function pushTableOf(state: LuaState, field: 'ok' | 'err', text: Bytes): void {
  lua.lua_createtable(state, 0, 1)
  pushString(state, text)
  lua.lua_setfield(state, -2, luaString(field))
}

/** Raises a message with the script's line in front, as Lua's own errors have it. */
export function raise(state: LuaState, message: Bytes): never {
  lauxlib.luaL_where(state, 1)
  pushString(state, stringAt(state, -1) + message)
  return lua.lua_error(state)
}

export function pushList(state: LuaState, items: readonly Reply[]): void {
  lua.lua_checkstack(state, 4)
  lua.lua_createtable(state, items.length, 0)
  for (const [at, item] of items.entries()) {
    pushReply(state, item)
    lua.lua_rawseti(state, -2, at + 1)
  }
}

/** Redis' conversion: no reply is `false`, a status is `{ok=…}`, an error is `{err=…}`. */
export function pushReply(state: LuaState, reply: Reply): void {
  if (typeof reply === 'string') pushString(state, reply)
  else if (typeof reply === 'number' || typeof reply === 'bigint') lua.lua_pushnumber(state, Number(reply))
  else if (reply === null) lua.lua_pushboolean(state, false)
  else if (reply instanceof Status) pushTableOf(state, 'ok', reply.text)
  else if (reply instanceof ReplyError) pushTableOf(state, 'err', reply.message)
  else pushList(state, reply)
}

/** Numbers lose their fraction, `true` is 1, `false` and nil are no value, a table is read up to its first nil. */
export function replyAt(state: LuaState, index: number): Reply {
  const type = lua.lua_type(state, index)
  if (type === lua.LUA_TSTRING) return stringAt(state, index)
  if (type === lua.LUA_TNUMBER) return integerReply(lua.lua_tonumber(state, index))
  if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(state, index) ? 1 : null
  if (type !== lua.LUA_TTABLE) return null
  const table = lua.lua_absindex(state, index)
  if (!lua.lua_checkstack(state, 4)) throw new ReplyError('ERR reached lua stack limit')
  const error = fieldAt(state, table, 'err')
  if (error !== undefined) return new ReplyError(error)
  const status = fieldAt(state, table, 'ok')
  if (status !== undefined) return new Status(status)
  const items: Reply[] = []
  for (let place = 1; lua.lua_rawgeti(state, table, place) !== lua.LUA_TNIL; place++) {
    items.push(replyAt(state, -1))
    lua.lua_pop(state, 1)
  }
  lua.lua_pop(state, 1)
  return items
}

function integerReply(value: number): Reply {
  const whole = Math.trunc(value)
  if (Number.isSafeInteger(whole)) return whole + 0
  // What x86 makes of a double that no 64-bit integer can hold.
  return Math.abs(whole) < 2 ** 63 ? BigInt(whole) : -(2n ** 63n)
}

/** A field of a table that is a string. */
export function fieldAt(state: LuaState, table: number, name: string): Bytes | undefined {
  pushString(state, name)
  const type = lua.lua_rawget(state, table)
  const value = type === lua.LUA_TSTRING ? stringAt(state, -1) : undefined
  lua.lua_pop(state, 1)
  return value
}

/** What `redis.call` was given. */
export function wordsOf(state: LuaState): Bytes[] {
  const size = lua.lua_gettop(state)
  if (size === 0) throw new ReplyError('ERR Please specify at least one argument for this redis lib call')
  return Array.from({ length: size }, (_, at) => {
    const type = lua.lua_type(state, at + 1)
    if (type === lua.LUA_TNUMBER) return formatG(lua.lua_tonumber(state, at + 1), 17)
    if (type === lua.LUA_TSTRING) return stringAt(state, at + 1)
    throw new ReplyError('ERR Lua redis lib command arguments must be strings or integers')
  })
}
