// Arguments for a tool call: read from the user's words, the rest made up from the tool's JSON Schema.

type JsonObject = Record<string, unknown>

/** `given` names the values at hand, property by property; a required property without one gets an example. */
export function filledArguments(schema: unknown, given: (property: string) => unknown): JsonObject {
  const { properties, required } = objectOf(schema)
  const needed = new Set<unknown>(Array.isArray(required) ? required : [])
  const filled: JsonObject = {}
  for (const [name, property] of Object.entries(objectOf(properties))) {
    const value = given(name)
    if (value !== undefined) filled[name] = coerced(value, property)
    else if (needed.has(name)) filled[name] = exampleOf(property)
  }
  return filled
}

const explicitPair = /([\w-]+)(?:\s*=\s*|:\s+)("[^"]*"|'[^']*'|[^\s,;]+)/g
const token = /"[^"]*"|'[^']*'|[^\s,;]+/g

/** `key=value` and `key: value` always; `key value` where the schema knows the key. */
export function spokenArguments(words: string, schema: unknown): JsonObject {
  const known = objectOf(objectOf(schema).properties)
  const spoken = new Map<string, string>()
  const rest = words.replace(explicitPair, (_, key: string, value: string) => {
    spoken.set(key, bare(value))
    return ' '
  })
  const tokens = rest.match(token) ?? []
  for (let at = 0; at < tokens.length - 1; at++) {
    const [key = '', value = ''] = tokens.slice(at, at + 2)
    if (!Object.hasOwn(known, key) || spoken.has(key)) continue
    spoken.set(key, bare(value))
    at++
  }
  // A key that the schema does not know is passed on: a misspelt argument is the tool's to refuse.
  const surplus = Object.fromEntries([...spoken].filter(([key]) => !Object.hasOwn(known, key)))
  return { ...filledArguments(schema, (property) => spoken.get(property)), ...surplus }
}

function bare(value: string): string {
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value.replace(/[.!?]+$/, '')
}

function coerced(value: unknown, schema: unknown): unknown {
  const type = typeOf(schema)
  if (typeof value === 'number' && type === 'string') return String(value)
  if (typeof value !== 'string') return value
  if (type === 'number' || type === 'integer') return Number.isNaN(Number(value)) ? value : Number(value)
  if (type === 'boolean') return /^(?:true|yes)$/i.test(value) ? true : /^(?:false|no)$/i.test(value) ? false : value
  return type === 'array' ? [value] : value
}

const formats: Record<string, string> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
}

function exampleOf(schema: unknown): unknown {
  const { const: constant, default: preset, enum: choices, anyOf, format, minimum, exclusiveMinimum } = objectOf(schema)
  if (constant !== undefined) return constant
  if (preset !== undefined) return preset
  if (Array.isArray(choices)) return choices[0]
  if (Array.isArray(anyOf)) return exampleOf(anyOf.find((branch) => typeOf(branch) !== 'null'))
  switch (typeOf(schema)) {
    case 'number':
    case 'integer':
      if (typeof minimum === 'number') return Math.max(1, minimum)
      return typeof exclusiveMinimum === 'number' ? Math.max(1, exclusiveMinimum + 1) : 1
    case 'boolean':
      return true
    case 'array':
      return []
    case 'object':
      return filledArguments(schema, () => undefined)
    case 'null':
      return null
    default:
      return formats[String(format)] ?? 'example'
  }
}

function typeOf(schema: unknown): unknown {
  const { type } = objectOf(schema)
  return Array.isArray(type) ? type.find((one) => one !== 'null') : type
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
