// Postgres text ↔ JSON values, for callers that do not ask for raw text: what Neon's proxy converts, and nothing more.

type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** A parameter of the request as Postgres text: arrays become array literals, objects JSON. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value)
}

function arrayLiteral(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL'
    if (Array.isArray(value)) return arrayLiteral(value)
    return JSON.stringify(typeof value === 'object' ? JSON.stringify(value) : value)
  })
  return `{${items.join(',')}}`
}

const elementTypes: Readonly<Record<number, number>> = {
  199: 114, // json
  1000: 16, // bool
  1001: 17, // bytea
  1005: 21, // int2
  1007: 23, // int4
  1009: 25, // text
  1015: 1043, // varchar
  1016: 20, // int8
  1021: 700, // float4
  1022: 701, // float8
  1115: 1114, // timestamp
  1182: 1082, // date
  1185: 1184, // timestamptz
  1231: 1700, // numeric
  2951: 2950, // uuid
  3807: 3802, // jsonb
}

/** A cell as JSON by its type's number: booleans, 16 and 32-bit integers, finite floats, JSON and arrays; the rest stays text. */
export function jsonValue(text: string, type: number): JsonValue {
  const elementType = elementTypes[type]
  if (elementType !== undefined) return arrayValue(text, elementType)
  switch (type) {
    case 16:
      return text === 't'
    case 21:
    case 23:
      return Number(text)
    case 700:
    case 701:
      return Number.isFinite(Number(text)) ? Number(text) : text
    case 114:
    case 3802:
      return JSON.parse(text)
    default:
      return text
  }
}

/** `{1,NULL,{"a \"b\""}}`, after the bounds that an array with unusual ones carries (`[0:1]={…}`). */
function arrayValue(text: string, elementType: number): JsonValue {
  const stack: JsonValue[][] = [[]]
  const body = text.slice(text.indexOf('{'))
  for (const [token, quoted] of body.matchAll(/"((?:[^"\\]|\\.)*)"|[{}]|[^{},"]+/gs)) {
    if (token === '{') {
      stack.push([])
    } else if (token === '}') {
      const done = stack.pop() ?? []
      stack.at(-1)?.push(done)
    } else if (quoted !== undefined) {
      stack.at(-1)?.push(jsonValue(quoted.replace(/\\(.)/gs, '$1'), elementType))
    } else {
      stack.at(-1)?.push(token === 'NULL' ? null : jsonValue(token, elementType))
    }
  }
  return stack[0]?.[0] ?? []
}
