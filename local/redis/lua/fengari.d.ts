// What we use of fengari, a Lua 5.3 in JavaScript that comes without types. Strings are bytes, indexes are stack places.
declare module 'fengari' {
  /** Opaque: an interpreter. */
  interface LuaState {
    readonly luaState: unique symbol
  }
  type LuaFunction = (state: LuaState) => number

  interface Lua {
    LUA_OK: number
    LUA_REGISTRYINDEX: number
    LUA_MASKCOUNT: number
    LUA_TNIL: number
    LUA_TBOOLEAN: number
    LUA_TLIGHTUSERDATA: number
    LUA_TNUMBER: number
    LUA_TSTRING: number
    LUA_TTABLE: number
    lua_call(state: LuaState, args: number, results: number): void
    lua_pcall(state: LuaState, args: number, results: number, handler: number): number
    lua_error(state: LuaState): never
    lua_checkstack(state: LuaState, extra: number): boolean
    lua_getglobal(state: LuaState, name: Uint8Array): number
    lua_setglobal(state: LuaState, name: Uint8Array): void
    lua_getfield(state: LuaState, index: number, name: Uint8Array): number
    lua_setfield(state: LuaState, index: number, name: Uint8Array): void
    lua_pushglobaltable(state: LuaState): void
    lua_rawget(state: LuaState, index: number): number
    lua_rawset(state: LuaState, index: number): void
    lua_rawgeti(state: LuaState, index: number, place: number): number
    lua_rawseti(state: LuaState, index: number, place: number): void
    lua_next(state: LuaState, index: number): number
    lua_gettop(state: LuaState): number
    lua_settop(state: LuaState, index: number): void
    lua_pop(state: LuaState, count: number): void
    lua_atnativeerror(state: LuaState, handler: LuaFunction): void
    lua_touserdata(state: LuaState, index: number): unknown
    lua_absindex(state: LuaState, index: number): number
    lua_type(state: LuaState, index: number): number
    lua_typename(state: LuaState, type: number): Uint8Array
    lua_toboolean(state: LuaState, index: number): boolean
    lua_tonumber(state: LuaState, index: number): number
    lua_tostring(state: LuaState, index: number): Uint8Array | null
    lua_createtable(state: LuaState, list: number, fields: number): void
    lua_pushboolean(state: LuaState, value: boolean): void
    lua_pushcfunction(state: LuaState, value: LuaFunction): void
    lua_pushlightuserdata(state: LuaState, value: unknown): void
    lua_pushnil(state: LuaState): void
    lua_pushnumber(state: LuaState, value: number): void
    lua_pushstring(state: LuaState, value: Uint8Array): void
    lua_pushvalue(state: LuaState, index: number): void
    lua_remove(state: LuaState, index: number): void
    lua_getstack(state: LuaState, level: number, activation: object): number
    lua_getinfo(state: LuaState, what: Uint8Array, activation: object): number
    lua_sethook(state: LuaState, hook: (() => void) | null, mask: number, count: number): void
    lua_Debug: new () => { currentline: number; source: Uint8Array | null }
  }

  interface LuaAuxiliary {
    luaL_newstate(): LuaState
    luaL_requiref(state: LuaState, name: Uint8Array, open: LuaFunction, global: boolean): void
    luaL_loadbufferx(state: LuaState, source: Uint8Array, size: number, name: Uint8Array, mode: Uint8Array): number
    luaL_ref(state: LuaState, index: number): number
    luaL_unref(state: LuaState, index: number, reference: number): void
    luaL_where(state: LuaState, level: number): void
  }

  type LuaLibraries = Record<
    'luaopen_base' | 'luaopen_coroutine' | 'luaopen_table' | 'luaopen_string' | 'luaopen_math',
    LuaFunction
  >

  const fengari: { lua: Lua; lauxlib: LuaAuxiliary; lualib: LuaLibraries }
  export default fengari
  export type { LuaFunction, LuaState }
}

declare module 'fengari/src/lobject.js' {
  interface NumberSlot {
    value: number
    setfltvalue(value: number): void
    ttisinteger(): boolean
  }
  interface TextSlot {
    value: unknown
    ttisnumber(): boolean
    setsvalue(value: unknown): void
  }
  const lobject: {
    luaO_str2num(text: Uint8Array, slot: NumberSlot): number
    luaO_tostring(state: unknown, slot: TextSlot): void
  }
  export default lobject
}

declare module 'fengari/src/lstring.js' {
  const lstring: { luaS_bless(state: unknown, text: Uint8Array): unknown }
  export default lstring
}
