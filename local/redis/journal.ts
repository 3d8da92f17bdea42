// The journal: one JSON line per unit of writes, read back at start, and written anew when most of it is history.
//
// J1  A unit is one line, appended before its caller hears of it: killed at any moment, the process loses no answered
//     write and keeps no half of a unit. (A power cut may lose the last seconds: nothing is synced but at compaction.)
// J2  A last line without its newline was never answered: it is dropped. Any other damage is an error, not data loss.
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Bytes } from './bytes.ts'
import type { Engine } from './engine.ts'
import { snapshot } from './snapshot.ts'

const smallest = 1024 * 1024

export class Journal {
  #file: string
  #engine: Engine
  #descriptor: number
  #size = 0
  /** The size at which the next compaction is due. */
  #due = smallest

  /** Brings the engine to where the file left off, and from then on records what it does. */
  constructor(file: string, engine: Engine) {
    this.#file = file
    this.#engine = engine
    mkdirSync(dirname(file), { recursive: true })
    if (existsSync(file)) this.#replay()
    this.#descriptor = openSync(file, 'a')
    this.#size = statSync(file).size
    engine.onWrites = (atMs, writes) => this.#append(atMs, writes)
    this.#compactWhenDue()
  }

  close(): void {
    this.#engine.onWrites = undefined
    closeSync(this.#descriptor)
  }

  #replay(): void {
    const content = readFileSync(this.#file)
    const end = content.lastIndexOf('\n') + 1
    if (end < content.length) truncateSync(this.#file, end)
    const lines = content.toString('utf8', 0, end).split('\n').slice(0, -1)
    for (const [at, line] of lines.entries()) {
      try {
        const [atMs, ...writes] = JSON.parse(line) as [number, ...Bytes[][]]
        this.#engine.replay(atMs, writes)
      } catch (cause) {
        throw new Error(`${this.#file}, line ${at + 1}: not a journal line. Repair it, or delete the file.`, { cause })
      }
    }
  }

  #append(atMs: number, writes: Bytes[][]): void {
    const line = lineFor(atMs, writes)
    appendFileSync(this.#descriptor, line)
    this.#size += Buffer.byteLength(line)
    this.#compactWhenDue()
  }

  #compactWhenDue(): void {
    if (this.#size < this.#due) return
    const { keys } = this.#engine
    const fresh = `${this.#file}.new`
    const descriptor = openSync(fresh, 'w')
    let size = 0
    for (const commands of snapshot(keys)) {
      const line = lineFor(keys.now, commands)
      appendFileSync(descriptor, line)
      size += Buffer.byteLength(line)
    }
    fsyncSync(descriptor)
    renameSync(fresh, this.#file)
    closeSync(this.#descriptor)
    // Appends go on through the same descriptor: it follows the renamed file.
    this.#descriptor = descriptor
    this.#size = size
    this.#due = Math.max(smallest, size * 2)
  }
}

const lineFor = (atMs: number, writes: Bytes[][]) => `${JSON.stringify([atMs, ...writes])}\n`
