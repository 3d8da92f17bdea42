// What tasks have given before their superstep is committed: those that finished beside one that did not (T5), and the parts
// of a task that are made once (T6).
import { parseWrites, type TaskWrites } from '../graph/task-writes.ts'
import { RecollectError } from '../kernel/errors.ts'
import { decode, encode } from '../kernel/json.ts'
import type { ClaimedTurn, SavedTask } from '../ports/checkpointer.ts'

/** Keeps a part until its superstep is committed, and gives what is kept: the first value under the key. */
export type KeepPart = (part: SavedTask) => Promise<string>

export class TaskParts {
  readonly #keep: KeepPart
  /** `step:task:key` → encoded. A part that is being made is there for whoever asks for it meanwhile. */
  readonly #parts = new Map<string, Promise<string>>()
  readonly #finished = new Map<string, string>()

  /** `saved` is of the superstep that the run goes on with. */
  constructor(keep: KeepPart, { step, saved }: Pick<ClaimedTurn, 'step' | 'saved'> = { step: 0, saved: [] }) {
    this.#keep = keep
    for (const { task, key, value } of saved) {
      if (key === '') this.#finished.set(nameOf(step + 1, task, key), value)
      else this.#parts.set(nameOf(step + 1, task, key), Promise.resolve(value))
    }
  }

  /** What the task of this node wrote, if it has finished before. */
  finished(step: number, task: number, node: string): TaskWrites | undefined {
    const text = this.#finished.get(nameOf(step, task, ''))
    return text === undefined ? undefined : parseWrites(text, node)
  }

  /** What is kept under the key, or what `make` gives, which is kept from now on. One that throws is made again when asked for again. */
  async once(place: { readonly step: number; readonly task: number; readonly key: string }, make: () => unknown) {
    const name = nameOf(place.step, place.task, place.key)
    const known = this.#parts.get(name)
    if (known !== undefined) return decode(await known)
    const making = Promise.resolve()
      .then(make)
      .then((made) => this.#keep({ task: place.task, key: place.key, value: encode(made) }))
    this.#parts.set(name, making)
    try {
      return decode(await making)
    } catch (error) {
      this.#parts.delete(name)
      throw error
    }
  }
}

export function assertPartKey(key: unknown, node: string): asserts key is string {
  const sound =
    typeof key === 'string' && key.length >= 1 && key.length <= 256 && !/\p{Cc}/u.test(key) && key.isWellFormed()
  if (sound) return
  throw new RecollectError(
    'id_invalid',
    `Node "${node}" gave a task a key that is not a string of 1 to 256 characters without control characters.`,
  )
}

function nameOf(step: number, task: number, key: string): string {
  return `${step}:${task}:${key}`
}
