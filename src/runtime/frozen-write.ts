// Recognises a node that wrote into its state in place, and says which channel it was.
import { RecollectError } from '../kernel/errors.ts'
import { isRecord } from '../kernel/json.ts'

/** Engines word a write to frozen data in one of these ways; the group is the property, where they name it. */
const wordings = [
  /Cannot add property ([^,]+), object is not extensible/,
  /Cannot assign to read only property '([^']*)'/,
  /Cannot delete property '([^']*)'/,
  /Cannot redefine property: (\S+)/,
]

/** `undefined` when the error is about something else. */
export function frozenWrite(
  error: unknown,
  node: string,
  state: Readonly<Record<string, unknown>>,
): RecollectError | undefined {
  if (!(error instanceof TypeError)) return undefined
  const property = wordings.map((wording) => wording.exec(error.message)?.[1]).find((found) => found !== undefined)
  if (property === undefined) return undefined
  const names = Object.keys(state)
  const holders = names.filter((name) => name === property || couldHold(state[name], property))
  // A property that is new to its object could be new to any of them.
  const added = error.message.startsWith('Cannot add')
  const channels = holders.length > 0 || !added ? holders : names.filter((name) => holdsFrozen(state[name]))
  if (channels.length === 0) return undefined
  const culprits = channels.map((name) => `"${name}"`).join(' or ')
  return new RecollectError(
    'state_frozen',
    `Node "${node}" wrote into channel ${culprits} in place. State is frozen, since such a write would be lost: return the new value instead, such as { ${channels[0]}: [...] }.`,
    { cause: error, details: { node, channels } },
  )
}

/** Whether frozen `value`, or an element of it, is where `property` was written: an index at its end, or one it has. */
function couldHold(value: unknown, property: string): boolean {
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return false
  if (Array.isArray(value)) {
    return (
      property === String(value.length) ||
      property === 'length' ||
      Object.hasOwn(value, property) ||
      value.some((element) => couldHold(element, property))
    )
  }
  if (!isRecord(value)) return false
  return Object.hasOwn(value, property) || Object.values(value).some((inner) => couldHold(inner, property))
}

/** Whether a frozen object is in `value`, other than as a list. */
function holdsFrozen(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsFrozen)
  return isRecord(value) && (Object.isFrozen(value) || Object.values(value).some(holdsFrozen))
}
