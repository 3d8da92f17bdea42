// The head of a thread in Upstash Redis: one list, the sealed state and then one sealed entry per turn.
import type { Redis } from '@upstash/redis/cloudflare'
import { RecollectError } from '../../kernel/errors.ts'
import type { Cache, CacheEntry, CacheKey } from '../../ports/cache.ts'
import { type UpstashAddress, upstashClient } from './client.ts'
import { type Seal, sealFor } from './seal.ts'

export interface UpstashCacheOptions extends UpstashAddress {
  /** Seals the entries; 32 characters or more. With another secret everything kept is a miss. */
  readonly secret: string
  /** What tells this database from others, so that two deployments on one Redis never mix. */
  readonly database: string
  /** How long an unused thread is kept. A day unless told otherwise. */
  readonly ttlMs?: number
}

const readTimeoutMs = 50
const writeTimeoutMs = 2_000
/** Sealed. Above it a thread is read from Postgres: Upstash takes requests of 1 MB on old plans and 10 MB on new ones. */
const longest = 4_000_000

/** In the place of a thread that was deleted, for longer than any turn that had ended goes on writing. */
const deleted = 'deleted'
const deletedForMs = 120_000

/**
 * Appends only behind the element it was computed from, and never creates a list: KEYS[1]; ARGV[1] `seq.hash.` of that element,
 * or '' to put the rest in the place of all; ARGV[2] time to live in ms.
 */
const script = `#!lua flags=allow-key-locking
if redis.call('LINDEX', KEYS[1], 0) == '${deleted}' and ARGV[3] ~= '${deleted}' then return 0 end
if ARGV[1] == '' then
  redis.call('DEL', KEYS[1])
else
  local last = redis.call('LINDEX', KEYS[1], -1)
  if not last or string.sub(last, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
end
for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

/** One command to read and one to write a turn. Errors are thrown without Redis' own message: it contains the command. */
export function upstashCache({ secret, database, ttlMs = 86_400_000, ...address }: UpstashCacheOptions): Cache {
  if (secret.length < 32) {
    throw new RecollectError('environment_invalid', 'The secret of the cache must have 32 characters or more.')
  }
  const reader = upstashClient(address, readTimeoutMs)
  const writer = upstashClient(address, writeTimeoutMs)
  const seal = (key: CacheKey) => sealFor(secret, database, key)
  return {
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
          elements.push(await sealing.close(entry, parentHash))
          parentHash = entry.hash
        }
        await write(writer, sealing.name, [`${after.seq}.${after.hash}.`, `${ttlMs}`, ...elements])
      }),
    replace: (key, state) =>
      guarded(async () => {
        const sealing = await seal(key)
        const element = await sealing.close(state, '')
        if (element.length > longest) await writer.del(sealing.name)
        else await write(writer, sealing.name, ['', `${ttlMs}`, element])
      }),
    delete: (key) =>
      guarded(async () => {
        await write(writer, (await seal(key)).name, ['', `${deletedForMs}`, deleted])
      }),
  }
}

/** All of the list or none of it: a missing or foreign element makes everything behind it meaningless. */
async function opened(seal: Seal, elements: readonly string[]): Promise<readonly CacheEntry[]> {
  const parents = elements.map((_, index) => (index === 0 ? '' : (elements[index - 1]?.split('.')[1] ?? '')))
  const entries = await Promise.all(elements.map((element, index) => seal.open(element, parents[index])))
  const whole = entries.filter((entry) => entry !== undefined)
  return whole.length === elements.length ? whole : []
}

let scriptHash: Promise<string> | undefined

async function write(redis: Redis, name: string, parameters: string[]): Promise<void> {
  scriptHash ??= sha1(script)
  try {
    await redis.evalsha(await scriptHash, [name], parameters)
  } catch (error) {
    if (!String(error).includes('NOSCRIPT')) throw error
    await redis.eval(script, [name], parameters)
  }
}

async function sha1(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch {
    throw new RecollectError('storage_unavailable', 'Upstash Redis did not answer. The cache is passed over.')
  }
}
