// Filters as SQL: the text depends on the shape of a filter alone, all that it holds is a parameter.
import type { Condition, Filter } from '../../kernel/filter.ts'

/** Keeps a parameter, and gives its place in the text: `$4`. */
export type Bind = (parameter: unknown) => string

/** A condition on `recollect.items i`; never null. */
export function filterSql(filter: Filter, bind: Bind): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const parts = filter.filters.map((part) => filterSql(part, bind))
      if (parts.length === 0) return filter.op === 'and' ? 'true' : 'false'
      return `(${parts.join(` ${filter.op} `)})`
    }
    case 'not':
      return `(not ${filterSql(filter.filter, bind)})`
    default:
      return conditionSql(filter, bind)
  }
}

function conditionSql(condition: Condition, bind: Bind): string {
  const time = times[condition.field]
  if (time !== undefined) return `(${time} ${signs[condition.op] ?? '='} ${bind(condition.value)}::timestamptz)`
  const place = placeOf(condition.field, bind)
  const json = (value: unknown) => `${bind(JSON.stringify(value))}::jsonb`
  switch (condition.op) {
    case 'eq':
      return `coalesce(${place} = ${json(condition.value)}, false)`
    case 'ne':
      return `coalesce(${place} <> ${json(condition.value)}, true)`
    case 'in':
      return among(place, json(condition.value))
    case 'nin':
      return `(not ${among(place, json(condition.value))})`
    case 'exists':
      return `(${place} is ${condition.value ? 'not null' : 'null'})`
    case 'contains':
      return contains(place, condition.value, bind)
    default: {
      const sign = signs[condition.op] ?? ''
      if (typeof condition.value === 'number') {
        return `coalesce(jsonb_typeof(${place}) = 'number' and ${place} ${sign} ${json(condition.value)}, false)`
      }
      const order = `(${place} #>> '{}') collate "C" ${sign} ${bind(condition.value)}::text`
      return `coalesce(jsonb_typeof(${place}) = 'string' and ${order}, false)`
    }
  }
}

const signs: Readonly<Record<string, string>> = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** They are kept to the millisecond. */
const times: Readonly<Record<string, string>> = { created: 'i.created_at', updated: 'i.updated_at' }

const columns: Readonly<Record<string, string>> = {
  key: 'to_jsonb(i.key)',
  source: 'to_jsonb(i.source)',
  author: 'to_jsonb(i.author)',
  tags: 'to_jsonb(i.tags)',
}

/** As jsonb; null where nothing is. A name that begins with no digit is never a place in an array. */
function placeOf(field: string, bind: Bind): string {
  return columns[field] ?? `(i.doc #> ${bind(field.split('.').slice(1))}::text[])`
}

/** Of scalars alone: of two arrays, `@>` is about their elements. */
function among(place: string, values: string): string {
  return `coalesce(jsonb_typeof(${place}) not in ('array', 'object') and ${values} @> ${place}, false)`
}

function contains(place: string, value: unknown, bind: Bind): string {
  const among = `jsonb_typeof(${place}) = 'array' and ${place} @> ${bind(JSON.stringify(value))}::jsonb`
  if (typeof value !== 'string') return `coalesce(${among}, false)`
  const within = `jsonb_typeof(${place}) = 'string' and position(${bind(value)}::text in ${place} #>> '{}') > 0`
  return `coalesce(${among} or ${within}, false)`
}
