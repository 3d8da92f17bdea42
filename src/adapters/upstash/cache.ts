// The head of a thread in Upstash Redis: one list, the sealed state and then one sealed entry per turn.
import type { Cache, CacheEntry, CacheKey } from '../../ports/cache.ts'
import { upstashClient } from './client.ts'
import { guarded } from './guarded.ts'
import { script } from './script.ts'
import { assertSecret, type Seal, type SealOptions, sealFor } from './seal.ts'

export interface UpstashCacheOptions extends SealOptions {
  /** How long a thread is kept from its last turn on, in milliseconds. A day unless told otherwise. */
  readonly ttlMs?: number
}

const readTimeoutMs = 50
const writeTimeoutMs = 2_000
/**
 * 1 MB sealed, and at most twice that with what is appended until the next state: about what is read in `readTimeoutMs`, see
 * docs/decisions/030. Upstash takes requests of 1 MB on old plans.
 */
const longest = 750_000

/** In the place of a thread that was deleted, for longer than any turn that had ended goes on writing. */
const deleted = 'deleted'
const deletedForMs = 120_000

/**
 * Appends only behind the element it was computed from, and never creates a list: KEYS[1]; ARGV[1] `seq.hash.` of that element,
 * or '' to put the rest in the place of all; ARGV[2] time to live in ms.
 */
const write = script(`#!lua flags=allow-key-locking
if redis.call('LINDEX', KEYS[1], 0) == '${deleted}' and ARGV[3] ~= '${deleted}' then return 0 end
if ARGV[1] == '' then
  redis.call('DEL', KEYS[1])
else
  local last = redis.call('LINDEX', KEYS[1], -1)
  if not last or string.sub(last, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

/**
 * One command to read and one to write a turn. Throws `environment_invalid` for a secret that is too short; its methods
 * `storage_unavailable`, without Redis' own message: it contains the command.
 */
export function upstashCache({ ttlMs = 86_400_000, ...options }: UpstashCacheOptions): Cache {
  assertSecret(options.secret)
  const reader = upstashClient(options, readTimeoutMs)
  const writer = upstashClient(options, writeTimeoutMs)
  const seal = (key: CacheKey) => sealFor(options, key, 'cache')
  return {
    longest,
    read: (key) =>
      guarded(async () => {
        const sealing = await seal(key)
        return opened(sealing, await reader.lrange<string>(sealing.name, 0, -1))
      }),
    append: (key, after, entries) =>
      guarded(async () => {
        const sealing = await seal(key)
        const elements: string[] = []
        let parentHash = after.hash
        for (const entry of entries) {
          elements.push(await closed(sealing, entry, parentHash))
          parentHash = entry.hash
        }
        await write(writer, sealing.name, [`${after.seq}.${after.hash}.`, `${ttlMs}`, ...elements])
      }),
    replace: (key, state) =>
      guarded(async () => {
        const sealing = await seal(key)
        const kept = state !== undefined && Buffer.byteLength(state.text) <= longest
        const elements = kept ? [await closed(sealing, state, '')] : []
        await write(writer, sealing.name, ['', `${ttlMs}`, ...elements])
      }),
    delete: (key) =>
      guarded(async () => {
        await write(writer, (await seal(key)).name, ['', `${deletedForMs}`, deleted])
      }),
  }
}

/** `seq.hash.parent.` and what is sealed. */
function closed(seal: Seal, { seq, hash, text }: CacheEntry, parentHash: string): Promise<string> {
  return seal.close(`${seq}.${hash}.${parentHash}.`, text)
}

/** All of the list or none of it: a missing or foreign element makes everything behind it meaningless. */
async function opened(seal: Seal, elements: readonly string[]): Promise<readonly CacheEntry[]> {
  const entries = await Promise.all(
    elements.map((element, index) =>
      open(seal, element, index === 0 ? '' : (elements[index - 1]?.split('.')[1] ?? '')),
    ),
  )
  const whole = entries.filter((entry) => entry !== undefined)
  return whole.length === elements.length ? whole : []
}

async function open(seal: Seal, element: string, parentHash: string): Promise<CacheEntry | undefined> {
  const [, header, seq, hash, parent, body] = /^((\d+)\.([\w-]*)\.([\w-]*)\.)(.*)$/s.exec(element) ?? []
  if (header === undefined || hash === undefined || body === undefined || parent !== parentHash) return undefined
  const text = await seal.open(header, body)
  return text === undefined ? undefined : { seq: Number(seq), hash, text }
}
