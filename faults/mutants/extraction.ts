// Guards of extraction: what is read once, and what is never remembered.
import type { Mutant } from './mutant.ts'

const memory = (name: string, tests: string) => ({
  file: `src/memory/${name}.ts`,
  tests: `test/memory/${tests}.test.ts`,
})

export const extractionGuards: readonly Mutant[] = [
  {
    guard: 'E3 facts, and how far they reach, fit what was read',
    ...{ file: 'src/agent/extraction.ts', tests: 'test/memory/extraction-crashes.test.ts' },
    ...{ find: 'strict: true', replace: 'strict: false' },
    killedBy: ['two at work on one thread', 'a person who is forgotten while the model thinks'],
  },
  {
    ...{
      guard: 'E3 facts of a person are written one after the other',
      ...memory('extraction-log', 'extraction-crashes'),
    },
    ...{ find: 'value: { mark }, expectedVersion: log.turn', replace: 'value: { mark }' },
    killedBy: ['two threads of one person that are read at once'],
  },
  {
    ...{ guard: 'what has taken the place of a sentence keeps it', ...memory('extraction', 'extraction') },
    ...{
      find: 'if (item === undefined) return { key, version: 0 }',
      replace: 'return { key, version: item?.version ?? 0 }',
    },
    killedBy: ['and was replaced, then said again'],
  },
  {
    ...{ guard: 'E1 what was read is not read again', ...memory('extraction-log', 'extraction') },
    ...{ find: 'marks.has(markOf(message))', replace: 'false' },
    killedBy: ['is read once', 'on a fork is read'],
  },
  {
    ...{ guard: 'a secret is refused', ...memory('extraction', 'extraction-refusals') },
    ...{ find: 'if (secret !== undefined) return', replace: 'if (secret === "") return' },
    killedBy: ['is every secret'],
  },
  {
    ...{ guard: 'what is of somebody else stays', ...memory('extraction', 'extraction') },
    ...{ find: ' && isOwn(memory, extracting)', replace: '' },
    killedBy: ['and somebody else’s'],
  },
  {
    ...{ guard: 'tools and the model write no memory', ...memory('extraction-log', 'extraction-refusals') },
    ...{ find: 'roles.includes(role) && ', replace: '' },
    killedBy: ['is what tools and the model said'],
  },
]
