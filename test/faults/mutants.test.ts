// Mutants are in date: each guard still stands where it is said to.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mutated } from '../../faults/mutants/mutant.ts'
import { guards } from '../../faults/mutants.ts'

test.each(guards.map((mutant) => [mutant.guard, mutant] as const))('"%s" can be taken away', (_, mutant) => {
  const whole = readFileSync(mutant.file, 'utf8')
  expect(mutated(whole, mutant)).not.toBe(whole)
  expect(existsSync(mutant.tests)).toBe(true)
})
