// Settings of the long-term store that are more than a word: how long items live, and how an index fuses.
import { isRecollectError } from '../src/kernel/errors.ts'
import type { Retention } from '../src/kernel/item.ts'
import { assertNamespace, type Namespace } from '../src/kernel/namespace.ts'
import type { Settings } from './env.ts'

/** `undefined`: there is none of that name. */
export function fusionOf(name: string): 'RRF' | 'DBSF' | undefined {
  return name === 'RRF' || name === 'DBSF' ? name : undefined
}

const dayMs = 86_400_000
const mostDays = 36_500

/** Of a setting that has no problem. */
export function retentionOfItems({ MEMORY_TTL_DAYS }: Pick<Settings, 'MEMORY_TTL_DAYS'>): Retention {
  return rulesOf(MEMORY_TTL_DAYS).map(({ namespace, ttlMs = null }) => ({ namespace, ttlMs }))
}

/** What is wrong with it, as the end of a sentence; `undefined`: nothing. */
export function retentionProblem(text: string): string | undefined {
  const rules = rulesOf(text)
  const wrong = rules.find(({ ttlMs, sound }) => ttlMs === undefined || !sound)
  if (wrong !== undefined) return `has "${wrong.part}"; it must be such as: 90, users=365, team/handbook=never.`
  const paths = rules.map(({ namespace }) => JSON.stringify(namespace))
  const twice = rules.find((_, index) => paths.indexOf(paths[index] ?? '') < index)
  return twice && `says "${twice.part}", and something else of the same before.`
}

/** First segments, each of what everybody of a tenant reads. */
export function sharedNamespaces({ SHARED_NAMESPACES = '' }: Pick<Settings, 'SHARED_NAMESPACES'>): Namespace[] {
  const names = SHARED_NAMESPACES.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '').map((name) => [name])
}

/** As {@link retentionProblem}. */
export function sharedProblem(settings: Pick<Settings, 'SHARED_NAMESPACES'>): string | undefined {
  const personal = ['users', 'extractions']
  const wrong = sharedNamespaces(settings).find(
    (name) => name.some((part) => personal.includes(part)) || !isNamespace(name),
  )
  return (
    wrong &&
    `has "${wrong}"; it must be such as: team,handbook. What lies below users and extractions is of one person each.`
  )
}

/** `90, users=365, team/handbook=never`: days without a read, of all items and of those at or below a namespace. */
function rulesOf(text: string) {
  return text.split(',').map((given) => {
    const part = given.trim()
    const at = part.lastIndexOf('=')
    const namespace = at < 0 ? [] : part.slice(0, at).trim().split('/')
    return { part, namespace, ttlMs: ttlOf(part.slice(at + 1).trim()), sound: at < 0 || isNamespace(namespace) }
  })
}

/** `null`: for ever; `undefined`: it is no number of days. */
function ttlOf(days: string): number | null | undefined {
  if (days === 'never') return null
  return /^[1-9]\d{0,4}$/.test(days) && Number(days) <= mostDays ? Number(days) * dayMs : undefined
}

function isNamespace(namespace: Namespace): boolean {
  try {
    assertNamespace(namespace)
    return true
  } catch (error) {
    if (isRecollectError(error)) return false
    throw error
  }
}
