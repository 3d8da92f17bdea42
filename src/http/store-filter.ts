// Filters as the LangGraph wire has them: fields of the value, each with what it equals or with operators.
import { RecollectError } from '../kernel/errors.ts'
import { conditionOf, type Filter } from '../kernel/filter.ts'
import { isRecord } from '../kernel/json.ts'

/** `{ "color": "red", "size": { "$gte": 3 } }`. Throws `input_invalid` for an operator or a field that there is not. */
export function filterOfWire(wire: Readonly<Record<string, unknown>>): Filter | undefined {
  const filters = Object.entries(wire).flatMap(([name, wanted]): Filter[] => {
    const field = `value.${name}`
    if (isRecord(wanted) && Object.keys(wanted).length === 0) throw wrong(name)
    if (!isRecord(wanted)) return [conditionOf('eq', field, wanted, `filter.${shown(name)}`)]
    return Object.entries(wanted).map(([operator, value]) => {
      const at = `filter.${shown(name)}`
      if (operator.startsWith('$')) return conditionOf(operator.slice(1), field, value, at)
      throw wrong(name)
    })
  })
  return filters.length === 0 ? undefined : { op: 'and', filters }
}

function wrong(name: string): RecollectError {
  return new RecollectError(
    'input_invalid',
    `The filter is not valid: filter.${shown(name)} must be a string, a number, a boolean, null, or operators such as { "$gte": 3 }. For what lies deeper name it whole: "a.b".`,
  )
}

function shown(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : '…'
}
