// What is done with memories while it goes wrong, and what then must be there.
import { itemId } from '../src/kernel/item.ts'
import { namespace, type Process, person } from './memory-process.ts'

export interface MemoryScenario {
  readonly name: string
  /** Nothing goes wrong in these; each in a process of its own. */
  readonly before: readonly ((process: Process) => Promise<unknown>)[]
  /** Throws when it was not said to be done. */
  readonly work: (process: Process) => Promise<unknown>
  /** Words with the key that they are under. */
  readonly there?: readonly Word[]
  readonly gone?: readonly Word[]
  /** Those that it does not touch. */
  readonly kept?: readonly Word[]
  /** Words of which no memory is made any more. */
  readonly unextracted?: readonly string[]
  /** Whether it is work that nobody waits for: it says nothing, and a sweep ends it. */
  readonly silent?: true
}

export interface Word {
  readonly word: string
  readonly key: string
}

const put = (process: Process) => process.put('k', 'the zanzibar canary')
const change = (process: Process) => process.put('k', 'the oslo canary')
const other = (process: Process) => process.put('l', 'the lisbon canary')
const speak = (process: Process) => process.say('I prefer zanzibar')
const zanzibar = { word: 'zanzibar', key: 'k' }
const oslo = { word: 'oslo', key: 'k' }
const lisbon = { word: 'lisbon', key: 'l' }

export const memoryScenarios: readonly MemoryScenario[] = [
  { name: 'a first put', before: [], work: put, there: [zanzibar] },
  { name: 'a put that replaces', before: [put], work: change, there: [oslo], gone: [zanzibar] },
  { name: 'a delete', before: [put, other], work: (process) => process.delete('k'), gone: [zanzibar], kept: [lisbon] },
  {
    name: 'forgetting an item',
    before: [put, change, other],
    work: (process) => process.forget({ id: itemId(namespace, 'k') }).catch(unlessGone),
    ...{ gone: [oslo], kept: [lisbon] },
  },
  {
    name: 'forgetting a namespace',
    before: [put, change, other],
    work: (process) => process.forget({ namespace }),
    gone: [oslo, lisbon],
  },
  {
    name: 'forgetting a source',
    before: [put, change, (process) => process.put('l', 'the lisbon canary', 'elsewhere')],
    work: (process) => process.forget({ source: 'faults' }),
    ...{ gone: [oslo], kept: [lisbon] },
  },
  {
    name: 'forgetting a person, with what is still to be extracted',
    before: [put, change, other, speak],
    work: (process) => process.forget({ user: person }),
    ...{ gone: [oslo, lisbon], unextracted: ['zanzibar'] },
  },
  {
    name: 'extraction',
    before: [
      (process) => process.say('I prefer dark mode, and I deploy on Kubernetes'),
      (process) => process.say('My name is Ada'),
    ],
    work: (process) => process.sweep(),
    silent: true,
  },
]

/** Sent again after it was done, it finds nothing to forget. */
function unlessGone(error: unknown) {
  if (!String(error).includes('404')) throw error
}
