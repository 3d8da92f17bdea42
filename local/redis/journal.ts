// What the engine wrote, kept in a file: a line is the time and the writes of one unit (J1, J2 of journal-file.ts).
import { JournalFile } from '../journal-file.ts'
import type { Bytes } from './bytes.ts'
import type { Engine } from './engine.ts'
import { snapshot } from './snapshot.ts'

export class Journal {
  #engine: Engine
  #file: JournalFile

  /** Brings the engine to where the file left off, and from then on records what it does. */
  constructor(file: string, engine: Engine) {
    this.#engine = engine
    this.#file = new JournalFile(file, {
      replay: (unit) => {
        const [atMs, ...writes] = unit as [number, ...Bytes[][]]
        engine.replay(atMs, writes)
      },
      *snapshot() {
        for (const commands of snapshot(engine.keys)) yield [engine.keys.now, ...commands]
      },
    })
    engine.onWrites = (atMs, writes) => this.#file.append([atMs, ...writes])
  }

  close(): void {
    this.#engine.onWrites = undefined
    this.#file.close()
  }
}
