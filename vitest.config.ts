// The four ways a test runs: in Node, alone where it is about time, in the Workers runtime, and against the whole stack started
// as a user starts it.
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { unstable_readConfig } from 'wrangler'

const minute = 60_000

// What comes about by itself comes later on a slow machine: a test waits for it nearly as long as it may take in all. No time
// here says anything about the product.
const waiting = { poll: { timeout: minute / 4 } }

export default defineConfig({
  test: {
    // One fewer than there are cores, unless told otherwise: on two that is one after the other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/timing/**', 'test/workers/**', 'test/e2e/**', 'test/types/**'],
          expect: waiting,
          testTimeout: minute,
          hookTimeout: 2 * minute,
        },
      },
      {
        test: {
          name: 'timing',
          include: ['test/timing/**/*.test.ts'],
          // What else ran would be measured too.
          fileParallelism: false,
          expect: waiting,
          testTimeout: minute,
          hookTimeout: 2 * minute,
        },
      },
      {
        plugins: [cloudflareTest(workerOptions)],
        test: {
          name: 'workerd',
          include: ['test/workers/**/*.test.ts'],
          expect: waiting,
          testTimeout: minute,
          hookTimeout: 2 * minute,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // Each file starts a stack of its own: two at once on two cores would measure each other.
          fileParallelism: false,
          expect: waiting,
          testTimeout: 2 * minute,
          hookTimeout: 2 * minute,
        },
      },
    ],
  },
})

// Dates, flags and plain variables as deployed. Handing wrangler.toml to the plugin would also read `.dev.vars`,
// and a test must never meet somebody's real credentials.
function workerOptions() {
  const { main, compatibility_date, compatibility_flags, vars } = unstable_readConfig({ config: 'wrangler.toml' })
  return {
    ...(main === undefined ? {} : { main }),
    miniflare: {
      ...(compatibility_date === undefined ? {} : { compatibilityDate: compatibility_date }),
      compatibilityFlags: compatibility_flags,
      bindings: vars,
    },
  }
}
