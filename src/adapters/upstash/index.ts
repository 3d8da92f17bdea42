// The cache, and what runs have told, in Upstash Redis; an index of items in Upstash Vector.
export { type Activity, upstashActivity } from './activity.ts'
export { type UpstashCacheOptions, upstashCache } from './cache.ts'
export { upstashEventLog } from './event-log.ts'
export { checkUpstash, checkUpstashVector } from './health.ts'
export { type UpstashItemIndexOptions, upstashItemIndex } from './item-index.ts'
export type { SealOptions } from './seal.ts'
