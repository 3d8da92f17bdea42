// The cache, and what runs have told, in Upstash Redis.
export { type Activity, upstashActivity } from './activity.ts'
export { type UpstashCacheOptions, upstashCache } from './cache.ts'
export { upstashEventLog } from './event-log.ts'
export { checkUpstash } from './health.ts'
export type { SealOptions } from './seal.ts'
