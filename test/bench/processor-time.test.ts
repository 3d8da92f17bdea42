// CPU time as Linux tells it.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { machineTime, machineTimeOf, processTime, processTimes, timeBelow } from '../../bench/processor-time.ts'

test('a process is told with its own time and that of its ended children, whatever its name holds', () => {
  const line = '4242 (a) b (c)) S 17 4242 4242 0 -1 4194560 5 0 0 0 250 50 7 3 20 0 11 0 999 123 456'
  expect(processTime(line)).toEqual({ pid: 4242, parent: 17, name: 'a) b (c)', ms: 3_100 })
})

test('time below a process is that of its descendants and of nobody else, in any order', () => {
  const times = [
    { pid: 3, parent: 2, name: 'leaf', ms: 1 },
    { pid: 2, parent: 9, name: 'middle', ms: 10 },
    { pid: 9, parent: 1, name: 'root', ms: 100 },
    { pid: 5, parent: 1, name: 'leaf', ms: 1_000 },
  ]
  expect(timeBelow(times, 9)).toBe(111)
  expect(timeBelow(times, 9, 'leaf')).toBe(1)
  expect(timeBelow(times, 4)).toBe(0)
})

test('the machine is idle when it is, and when it waits for a disk', () => {
  expect(machineTimeOf('cpu  10 1 5 100 20 1 2 3 4 0\ncpu0 1 1 1 1\n')).toEqual({ busyMs: 220, idleMs: 1_200 })
})

test.skipIf(!existsSync('/proc/stat'))('this process is among those that run (skipped where there is no /proc)', () => {
  const until = performance.now() + 100
  while (performance.now() < until);
  expect(timeBelow(processTimes(), process.pid)).toBeGreaterThan(0)
  expect(machineTime()?.busyMs).toBeGreaterThan(0)
})
