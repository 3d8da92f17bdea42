// One process per data directory: two on one embedded database destroy it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface DirectoryLock {
  release(): void
}

/**
 * Each process announces itself with a file of its own, `lock-<pid>-<start>`, and then looks for others. Of two that come
 * together at least one sees the other, so both may be refused but never both let in; and as a dead process's file can only
 * ever mean that process, removing it steals from nobody. A live process is never pushed aside, however silent it is: the
 * embedded database can block its loop for a long time.
 */
export function lockDirectory(directory: string): DirectoryLock {
  mkdirSync(directory, { recursive: true })
  const own = `lock-${process.pid}-${startOf(process.pid) ?? '0'}`
  const file = join(directory, own)
  try {
    writeFileSync(file, 'The process in this name has the directory open.\n', { flag: 'wx' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw inUse(file, process.pid)
    throw error
  }
  for (const name of readdirSync(directory)) {
    const [, pid, start] = /^lock-(\d+)-(\d+)$/.exec(name) ?? []
    if (pid === undefined || start === undefined || name === own) continue
    if (isAlive(Number(pid), start)) {
      rmSync(file)
      throw inUse(join(directory, name), Number(pid))
    }
    rmSync(join(directory, name), { force: true })
  }
  return { release: () => rmSync(file, { force: true }) }
}

function inUse(lock: string, pid: number): Error {
  const who = pid === process.pid ? `this process (${pid})` : `process ${pid}`
  const mistaken = lock.endsWith('-0') ? ` If process ${pid} is some other program, remove ${lock}.` : ''
  return new Error(
    `${dirname(lock)} is in use by ${who}, and a second one would destroy the database in it. ` +
      `Stop that one first, or start with --data <another directory>.${mistaken}`,
  )
}

/** A pid is given out again after its process ends, so where the start time is known it must agree too. */
function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return start === '0' || startOf(pid) === start
}

/** Clock ticks from boot to the start of a process; undefined where there is no /proc, or for one that has ended. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields after the name, which is in parentheses and may hold anything: the state first, the start time twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
