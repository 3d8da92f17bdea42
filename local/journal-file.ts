// A file with one JSON line per unit of writes, read back at start, and written anew when most of it is history.
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

/** The data that a file keeps. */
export interface Journaled {
  /** Does again what a line says. Throws where it is not one of ours. */
  replay(unit: unknown): void
  /** The fewest units that make the data again. */
  snapshot(): Iterable<unknown>
}

const smallest = 1024 * 1024
const newline = 0x0a

export class JournalFile {
  #file: string
  #data: Journaled
  #descriptor: number
  #size = 0
  /** The size at which the next compaction is due. */
  #due = smallest

  /** Brings the data to where the file left off. */
  constructor(file: string, data: Journaled) {
    this.#file = file
    this.#data = data
    mkdirSync(dirname(file), { recursive: true })
    if (existsSync(file)) this.#replay()
    this.#descriptor = openSync(file, 'a')
    this.#size = statSync(file).size
    this.#compactWhenDue()
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#size
  }

  /** To be called after the unit was done: the file may be written anew from the data. */
  append(unit: unknown): void {
    const line = lineFor(unit)
    appendFileSync(this.#descriptor, line)
    this.#size += Buffer.byteLength(line)
    this.#compactWhenDue()
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #replay(): void {
    const content = readFileSync(this.#file)
    const end = content.lastIndexOf(newline) + 1
    if (end < content.length) truncateSync(this.#file, end)
    // Line by line: as one text, a file of half a gigabyte would be longer than a string may be.
    for (let from = 0, number = 1; from < end; number++) {
      const to = content.indexOf(newline, from)
      try {
        this.#data.replay(JSON.parse(content.toString('utf8', from, to)))
      } catch (cause) {
        throw new Error(`${this.#file}, line ${number}: not a journal line. Repair it, or delete the file.`, { cause })
      }
      from = to + 1
    }
  }

  #compactWhenDue(): void {
    if (this.#size < this.#due) return
    const fresh = `${this.#file}.new`
    const descriptor = openSync(fresh, 'w')
    let size = 0
    for (const unit of this.#data.snapshot()) {
      const line = lineFor(unit)
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

const lineFor = (unit: unknown) => `${JSON.stringify(unit)}\n`
