// Upstash Vector on loopback: its REST protocol over exact search. vector.md says what differs.
import { JournalFile } from '../journal-file.ts'
import { type Knobs, type StandIn, standIn } from '../stand-in.ts'
import { defaultKind, type IndexKind, kindName } from './index-kind.ts'
import { restHandler } from './rest.ts'
import { type Change, VectorIndex } from './vector-index.ts'

export interface UpstashVectorOptions {
  /** 0 picks a free one. */
  port?: number
  /** What callers send as `Authorization: Bearer …`. */
  token: string
  knobs?: Partial<Knobs>
  /** Where the data is kept; without it, in memory only. */
  file?: string
  /** That of the data in the file unless told otherwise, and `fresh` where there is none. Throws where they differ. */
  kind?: IndexKind | undefined
  /** Sparse unless told otherwise. */
  fresh?: IndexKind | undefined
  /** Whether texts are embedded here, as by the models that Upstash hosts. */
  embeds?: boolean
  clock?: () => number
}

export interface LocalVector extends StandIn {
  readonly kind: IndexKind
}

export async function upstashVector(options: UpstashVectorOptions): Promise<LocalVector> {
  const { port = 0, token, knobs = {}, file, kind, fresh = defaultKind, embeds = true, clock = Date.now } = options
  const index = new VectorIndex({ kind: kind ?? fresh, clock })
  const journal = file === undefined ? undefined : kept(index, file, kind)
  const server = await standIn({
    name: 'upstash-vector',
    port,
    knobs,
    handle: restHandler({ index, token, embeds, clock }),
  })
  index.delayMs = () => server.knobs.consistencyDelayMs
  return {
    ...server,
    kind: index.kind,
    close: async () => {
      await server.close()
      journal?.close()
    },
  }
}

function kept(index: VectorIndex, file: string, kind: IndexKind | undefined): JournalFile {
  const journal = new JournalFile(file, {
    replay: (unit) => index.replay(unit as Change),
    snapshot: () => index.snapshot(),
  })
  if (journal.size === 0) journal.append({ do: 'create', kind: index.kind } satisfies Change)
  if (kind !== undefined && kindName(kind) !== kindName(index.kind)) {
    journal.close()
    throw new Error(
      `${file} holds a vector index of the kind ${kindName(index.kind)}, and ${kindName(kind)} was asked for. ` +
        'Delete the file, or keep the data elsewhere.',
    )
  }
  index.onChange = (change) => journal.append(change)
  return journal
}
