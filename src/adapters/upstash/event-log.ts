// What runs have told, in Upstash Redis: one list a thread, of the sealed parts of its newest claim.
import type { EventLog, EventPart } from '../../ports/event-log.ts'
import { upstashClient } from './client.ts'
import { guarded } from './guarded.ts'
import { script } from './script.ts'
import { assertSecret, type Seal, type SealOptions, sealFor } from './seal.ts'

const readTimeoutMs = 2_000
const writeTimeoutMs = 2_000
/** From the last part on: whoever comes back comes soon. */
const keptForMs = 600_000
/** In the place of a thread that was deleted, as the epoch of a claim that no other surpasses. */
const deletedForMs = 120_000
const deleted = '9007199254740991.0.'

/**
 * Adds an element behind the one before it: KEYS[1]; ARGV[1] epoch; ARGV[2] index; ARGV[3] time to live in ms; ARGV[4] the
 * element, which begins with `epoch.index.`. 0: a later claim has begun, or the one before it is missing.
 */
const append = script(`#!lua flags=allow-key-locking
local first = redis.call('LINDEX', KEYS[1], 0)
local known = first and tonumber(string.match(first, '^(%d+)%.')) or -1
local epoch = tonumber(ARGV[1])
local length = redis.call('LLEN', KEYS[1])
if known > epoch then return 0 end
if known < epoch and length > 0 then
  redis.call('DEL', KEYS[1])
  length = 0
end
if length == tonumber(ARGV[2]) + 1 then return 1 end
if length ~= tonumber(ARGV[2]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

/**
 * One command a part, and one or two to read; kept for ten minutes from the last part on. Throws `environment_invalid` for a secret that
 * is too short; its methods `storage_unavailable`.
 */
export function upstashEventLog(options: SealOptions): EventLog {
  assertSecret(options.secret)
  const reader = upstashClient(options, readTimeoutMs)
  const writer = upstashClient(options, writeTimeoutMs)
  return {
    append: (key, { epoch, index, text }) =>
      guarded(async () => {
        const seal = await sealFor(options, key, 'events')
        const element = await seal.close(`${epoch}.${index}.`, text)
        const kept = await append(writer, seal.name, [`${epoch}`, `${index}`, `${keptForMs}`, element])
        return Number(kept) === 1
      }),
    read: (key, after) =>
      guarded(async () => {
        const seal = await sealFor(options, key, 'events')
        if (after !== undefined) {
          // From the last one that is known: if it is there still, what stands behind it is what follows.
          const [known, ...rest] = await reader.lrange<string>(seal.name, after.index, -1)
          if (known?.startsWith(`${after.epoch}.${after.index}.`)) return opened(seal, rest)
        }
        return opened(seal, await reader.lrange<string>(seal.name, 0, -1))
      }),
    delete: (key) =>
      guarded(async () => {
        const seal = await sealFor(options, key, 'events')
        const [epoch = ''] = deleted.split('.')
        await append(writer, seal.name, [epoch, '0', `${deletedForMs}`, deleted])
      }),
  }
}

/** Up to the first element that is not whole, or not ours. */
async function opened(seal: Seal, elements: readonly string[]): Promise<readonly EventPart[]> {
  const parts: EventPart[] = []
  for (const element of elements) {
    const [, header, epoch, index, body] = /^((\d+)\.(\d+)\.)(.*)$/s.exec(element) ?? []
    const text = header === undefined || body === undefined ? undefined : await seal.open(header, body)
    if (text === undefined) break
    parts.push({ epoch: Number(epoch), index: Number(index), text })
  }
  return parts
}
