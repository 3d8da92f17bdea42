// The cache in Upstash Redis.
export { type Activity, upstashActivity } from './activity.ts'
export { type UpstashCacheOptions, upstashCache } from './cache.ts'
export { checkUpstash } from './health.ts'
