// Lua that runs once in a new machine: what 5.1 had and 5.3 dropped, and the walls around a script.
export const prelude = `
local _G, error, pairs, select, setmetatable, type = _G, error, pairs, select, setmetatable, type
local globals = {}

unpack = table.unpack
loadstring = load
table.getn = function(list) return #list end
table.maxn = function(list)
  local highest = 0
  for key in pairs(list) do
    if type(key) == 'number' and key > highest then highest = key end
  end
  return highest
end
math.pow = function(x, y) return x ^ y end
math.log10 = function(x) return math.log(x, 10) end
math.mod = math.fmod

-- These give 32-bit integers where they can, in which later sums would overflow.
for _, name in pairs({ 'abs', 'ceil', 'floor', 'fmod', 'max', 'min', 'random' }) do
  local exact = math[name]
  math[name] = function(...) return exact(...) + 0.0 end
end

local describe = tostring
local function text(value)
  if type(value) == 'number' then return value .. '' end
  return describe(value)
end
tostring = function(...)
  if select('#', ...) == 0 then return describe() end
  return text((...))
end

-- %d of 5.3 refuses fractions and whatever exceeds 32 bits.
local format, gsub, ceil, floor, tonumber, unpack = string.format, string.gsub, math.ceil, math.floor, tonumber, unpack
string.format = function(pattern, ...)
  local values, at = { ... }, 0
  pattern = gsub(pattern, '%%([-+ #0]*%d*)(%.?%d*)(.)', function(flags, precision, kind)
    if kind == '%' then return nil end
    at = at + 1
    local value = values[at]
    if kind == 's' and type(value) == 'number' then values[at] = text(value) end
    if kind ~= 'd' and kind ~= 'i' then return nil end
    local number = tonumber(value)
    if number ~= nil then values[at] = number < 0 and ceil(number) or floor(number) end
    return '%' .. flags .. '.0f'
  end)
  return format(pattern, unpack(values, 1, select('#', ...)))
end

-- An error that redis.call raised is a table inside, and a string to whoever catches it.
local try = pcall
local function caught(ok, problem, ...)
  if not ok and type(problem) == 'table' and type(problem.err) == 'string' then return ok, problem.err end
  return ok, problem, ...
end
pcall = function(...) return caught(try(...)) end

dofile, loadfile, print = nil, nil, nil

local function readonly() error('Attempt to modify a readonly table', 2) end
local set = rawset
rawset = function(target, ...)
  if target == _G then readonly() end
  return set(target, ...)
end
for name, value in pairs(_G) do
  if type(value) == 'table' and value ~= _G then
    value = setmetatable({}, { __index = value, __newindex = readonly, __metatable = false })
  end
  globals[name] = value
end
for name in pairs(globals) do _G[name] = nil end
setmetatable(_G, {
  __index = function(_, name)
    local value = globals[name]
    if value == nil then error("Script attempted to access nonexistent global variable '" .. text(name) .. "'", 2) end
    return value
  end,
  __newindex = readonly,
  __metatable = false,
})
`
