// CPU time of a process and of all that it started, as Linux keeps it in /proc. Elsewhere nothing is known.
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessTime {
  readonly pid: number
  readonly parent: number
  readonly name: string
  /** In user and system mode, with that of children that have ended. */
  readonly ms: number
}

/** The kernel counts in ticks; to user space it is always 100 a second. */
const msPerTick = 10

export function processTimes(): ProcessTime[] {
  let folders: string[]
  try {
    folders = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
  return folders.flatMap((pid) => {
    try {
      return [processTime(readFileSync(`/proc/${pid}/stat`, 'utf8'))]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

/** One line of `/proc/PID/stat`. The name is in parentheses and may hold any character, parentheses too. */
export function processTime(line: string): ProcessTime {
  const start = line.indexOf('(')
  const end = line.lastIndexOf(')')
  // From the third field of proc(5) on: state, parent, …; 14 to 17 are the times.
  const fields = line
    .slice(end + 2)
    .split(' ')
    .map(Number)
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0)
  return {
    pid: Number(line.slice(0, start)),
    parent: fields[1] ?? 0,
    name: line.slice(start + 1, end),
    ms: ticks * msPerTick,
  }
}

/** Of all cores together, since the machine started; undefined where it is not known. */
export interface MachineTime {
  readonly busyMs: number
  readonly idleMs: number
}

export function machineTime(): MachineTime | undefined {
  try {
    return machineTimeOf(readFileSync('/proc/stat', 'utf8'))
  } catch {
    return undefined
  }
}

/** The first line: user, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in the first two. */
export function machineTimeOf(text: string): MachineTime {
  const [, ...ticks] = (text.split('\n')[0] ?? '').trim().split(/\s+/).map(Number)
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0)
  const all = ticks.slice(0, 8).reduce((sum, field) => sum + field, 0)
  return { busyMs: (all - idle) * msPerTick, idleMs: idle * msPerTick }
}

/** That of `root` and of everything below it, or of those among them that have this name. */
export function timeBelow(times: readonly ProcessTime[], root: number, name?: string): number {
  const family = new Set([root])
  // A child may stand before its parent: numbers wrap.
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const { pid, parent } of times) if (family.has(parent)) family.add(pid)
  }
  return times
    .filter((time) => family.has(time.pid) && (name === undefined || time.name === name))
    .reduce((sum, { ms }) => sum + ms, 0)
}
