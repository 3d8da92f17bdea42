// The cjson library of Redis scripts: encode, decode and null.
import fengari, { type LuaState } from 'fengari'
import { type Bytes, fromText, toText } from '../bytes.ts'
import { formatG } from './numbers.ts'
import { luaString, pushString, raise, stringAt } from './values.ts'

const { lua } = fengari
const nullMark = Object.freeze({ json: null })
const maxDepth = 1000

export function pushCjson(state: LuaState): void {
  lua.lua_createtable(state, 0, 3)
  lua.lua_pushcfunction(state, encode)
  lua.lua_setfield(state, -2, luaString('encode'))
  lua.lua_pushcfunction(state, decode)
  lua.lua_setfield(state, -2, luaString('decode'))
  lua.lua_pushlightuserdata(state, nullMark)
  lua.lua_setfield(state, -2, luaString('null'))
}

function encode(state: LuaState): number {
  if (lua.lua_gettop(state) !== 1) raise(state, "bad argument #1 to 'encode' (expected 1 argument)")
  pushString(state, textOf(state, 1, 0))
  return 1
}

function textOf(state: LuaState, index: number, depth: number): Bytes {
  const type = lua.lua_type(state, index)
  if (type === lua.LUA_TSTRING) return quote(stringAt(state, index))
  if (type === lua.LUA_TNUMBER) return numberText(state, lua.lua_tonumber(state, index))
  if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(state, index) ? 'true' : 'false'
  if (type === lua.LUA_TNIL || type === lua.LUA_TLIGHTUSERDATA) return 'null'
  if (type === lua.LUA_TTABLE) return tableText(state, lua.lua_absindex(state, index), depth + 1)
  const name = Buffer.from(lua.lua_typename(state, type)).toString('latin1')
  return raise(state, `Cannot serialise ${name}: type not supported`)
}

function numberText(state: LuaState, value: number): Bytes {
  if (!Number.isFinite(value)) raise(state, 'Cannot serialise number: must not be NaN or Inf')
  return formatG(value, 14)
}

/** As cjson, `/` and DEL are escaped too. */
const quote = (bytes: Bytes): Bytes =>
  JSON.stringify(bytes).replace(/[/\x7f]/g, (character) => (character === '/' ? '\\/' : '\\u007f'))

function tableText(state: LuaState, table: number, depth: number): Bytes {
  if (depth > maxDepth || !lua.lua_checkstack(state, 4))
    raise(state, `Cannot serialise, excessive depth (${maxDepth + 1})`)
  const length = listLength(state, table)
  const parts: Bytes[] = []
  if (length > 0) {
    for (let place = 1; place <= length; place++) {
      lua.lua_rawgeti(state, table, place)
      parts.push(textOf(state, -1, depth))
      lua.lua_pop(state, 1)
    }
    return `[${parts.join(',')}]`
  }
  lua.lua_pushnil(state)
  while (lua.lua_next(state, table) !== 0) {
    parts.push(`${keyText(state)}:${textOf(state, -1, depth)}`)
    lua.lua_pop(state, 1)
  }
  return `{${parts.join(',')}}`
}

function keyText(state: LuaState): Bytes {
  const type = lua.lua_type(state, -2)
  // Not stringAt for a number: it would turn the key on the stack into a string, and lua_next would lose its place.
  if (type === lua.LUA_TNUMBER) return `"${numberText(state, lua.lua_tonumber(state, -2))}"`
  if (type === lua.LUA_TSTRING) return quote(stringAt(state, -2))
  return raise(state, 'Cannot serialise table: table key must be a number or string')
}

/** The highest index where every key is a positive integer; 0, which makes it an object, where one is not. */
function listLength(state: LuaState, table: number): number {
  let highest = 0
  let members = 0
  lua.lua_pushnil(state)
  while (lua.lua_next(state, table) !== 0) {
    const key = lua.lua_type(state, -2) === lua.LUA_TNUMBER ? lua.lua_tonumber(state, -2) : 0
    lua.lua_pop(state, 1)
    if (!Number.isInteger(key) || key < 1) {
      lua.lua_pop(state, 1)
      return 0
    }
    highest = Math.max(highest, key)
    members += 1
  }
  if (highest > 10 && highest > members * 2) raise(state, 'Cannot serialise table: excessively sparse array')
  return highest
}

function decode(state: LuaState): number {
  const type = lua.lua_type(state, 1)
  if (type !== lua.LUA_TSTRING && type !== lua.LUA_TNUMBER)
    raise(state, "bad argument #1 to 'decode' (string expected)")
  let value: unknown
  try {
    value = JSON.parse(toText(stringAt(state, 1)))
  } catch {
    raise(state, 'Expected value but found invalid token')
  }
  pushJson(state, value, 0)
  return 1
}

function pushJson(state: LuaState, value: unknown, depth: number): void {
  if (depth > maxDepth || !lua.lua_checkstack(state, 4))
    raise(state, `Found too many nested data structures (${maxDepth + 1})`)
  if (typeof value === 'string') pushString(state, fromText(value))
  else if (typeof value === 'number') lua.lua_pushnumber(state, value)
  else if (typeof value === 'boolean') lua.lua_pushboolean(state, value)
  else if (Array.isArray(value)) {
    lua.lua_createtable(state, value.length, 0)
    for (const [at, item] of value.entries()) {
      pushJson(state, item, depth + 1)
      lua.lua_rawseti(state, -2, at + 1)
    }
  } else if (typeof value === 'object' && value !== null) {
    lua.lua_createtable(state, 0, 0)
    for (const [key, item] of Object.entries(value)) {
      pushString(state, fromText(key))
      pushJson(state, item, depth + 1)
      lua.lua_rawset(state, -3)
    }
  } else lua.lua_pushlightuserdata(state, nullMark)
}
