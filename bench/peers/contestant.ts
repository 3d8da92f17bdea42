// What is measured of each side: a runtime with its storage behind a delay line.

export const graphs = ['oneNode', 'agentToolsAgent'] as const
export type GraphName = (typeof graphs)[number]

/** Of every message: the question, what the tool says, the answer. */
export const characters = 200

export interface Contestant {
  /** Makes a thread with so many turns in it and gives its id. */
  grow(graph: GraphName, turns: number): Promise<string>
  /** Resolves when the caller has the answer. `afterwards` is what the runtime still does then, of its own accord. */
  turn(graph: GraphName, thread: string, text: string): Promise<{ readonly afterwards: Promise<unknown> }>
  /** The texts in the thread as a reader of its state gets them. */
  read(graph: GraphName, thread: string): Promise<readonly string[]>
  /** What crossed the wire since it was last asked. */
  taken(): Traffic
}

export interface Traffic {
  /** That Postgres ran, those that open and close transactions included; our snapshots apart. */
  readonly statements: number
  /** Written to Postgres: request bodies where it is spoken to over HTTP, else all that was sent. Our snapshots apart. */
  readonly bytes: number
  /** All that was sent to Postgres, HTTP headers, protocol and snapshots included. */
  readonly sentBytes: number
  /** All that came back from Postgres. */
  readonly receivedBytes: number
  /** States that are written after the answer, now and then, so that a thread is loaded from few rows. */
  readonly snapshotBytes?: number
  readonly redisCommands?: number
  readonly redisBytes?: number
}
