// A Lua script in Redis: by its hash, and whole where Redis does not know it yet.
import type { Redis } from '@upstash/redis/cloudflare'

export type Script = (redis: Redis, key: string, parameters: string[]) => Promise<unknown>

export function script(text: string): Script {
  let hash: Promise<string> | undefined
  return async (redis, key, parameters) => {
    hash ??= sha1(text)
    try {
      return await redis.evalsha(await hash, [key], parameters)
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error
      return await redis.eval(text, [key], parameters)
    }
  }
}

async function sha1(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
