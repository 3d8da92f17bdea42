// Time that passes when a test says so: what must not have ended yet does not end because the machine is slow.

/** Whatever of this tenant ends by the clock (leases, times to live, pauses) does so `ms` sooner, as if so much time had passed. */
export type Later = (tenant: string, ms: number) => Promise<void>

/** A clock for what is kept in memory. */
export function movableClock(): { readonly now: () => number; readonly later: Later } {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    later: async (_, ms) => {
      aheadMs += ms
    },
  }
}
