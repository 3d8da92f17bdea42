// Guards of memories: what is saved, what is found, and that what is forgotten does not come back.
import type { Mutant } from './mutant.ts'

const sql = (within: string, tests: string) => ({ file: 'schema.sql', within, tests: `test/${tests}.test.ts` })
const store = 'contract/store-neon'

export const memoryGuards: readonly Mutant[] = [
  {
    ...{ guard: 'a claim that is lost remembers nothing', ...sql('store_put', 'forgetting') },
    ...{ find: 'if _token is not null and not recollect', replace: 'if false and not recollect' },
    killedBy: ['a run whose tool is at work when its person is forgotten'],
  },
  {
    ...{ guard: 'history goes with its item', ...sql('remove_item', 'forgetting') },
    ...{ find: 'delete from recollect.item_history h where h.tenant = i.tenant and h.id = i.id;', replace: '' },
    killedBy: ['of what is forgotten by its id'],
  },
  {
    ...{
      guard: 'the index hears of what is deleted',
      file: 'src/memory/indexing.ts',
      tests: 'test/forgetting.test.ts',
    },
    ...{ find: 'await this.#index.delete({ tenant, space }, [id])', replace: '' },
    killedBy: ['of what is forgotten by its id'],
  },
  {
    ...{ guard: 'the truth decides what the index finds', file: 'src/adapters/neon/item-search.ts' },
    ...{ tests: 'test/memory/indexed-store.test.ts' },
    ...{ find: 'c.id where i.settled_version = i.version and ', replace: 'c.id where ' },
    killedBy: ['an item that changes is found as it is', 'a write that the index did not take'],
  },
  {
    ...{ guard: 'what a person has sent goes with the person', file: 'src/http/memories.ts' },
    ...{ tests: 'test/forgetting.test.ts' },
    ...{ find: 'await service.checkpointer.outbox.forget(principal.tenant, body.user)', replace: '' },
    killedBy: ['a person who is forgotten is nowhere'],
  },
  {
    ...{ guard: 'an item whose time is over is none', ...sql('store_get', store) },
    ...{ find: 'and coalesce(i.expires_at >= clock_timestamp(), true)', replace: '' },
    killedBy: ['an item whose time is over is there for nobody'],
  },
  {
    ...{ guard: 'all or nothing, where a version does not fit', ...sql('store_batch', store) },
    ...{ find: 'if _strict and exists', replace: 'if false and exists' },
    killedBy: ['a strict batch does nothing when a version does not fit'],
  },
]
