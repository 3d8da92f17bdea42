// The published client, pointed at a stand-in by the port in its connection string.
import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless'

export const password = 'a pass:word/@'

// A module global of the client, so it takes the port from each connection string instead of naming one.
neonConfig.fetchEndpoint = (_host, port) => `http://127.0.0.1:${port}/sql`

export function connectionString(port: number, given = password): string {
  return `postgresql://someone:${encodeURIComponent(given)}@localhost:${port}/anything`
}

export function client(port: number, given = password): NeonQueryFunction<false, false> {
  return neon(connectionString(port, given))
}
