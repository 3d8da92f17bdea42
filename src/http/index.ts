// The door `recollect/http`: an application that serves graphs.
export type { Auth } from './auth.ts'
export type { BodyLimits } from './body.ts'
export type { HealthCheck } from './health.ts'
export type { KeySet } from './key-set.ts'
export { problemResponse } from './problem.ts'
export { type ReviewLink, reviewUrl } from './review-link.ts'
export { type ServeOptions, serve } from './serve.ts'
export type { Principal, ReviewLinks, Scope, Service } from './service.ts'
