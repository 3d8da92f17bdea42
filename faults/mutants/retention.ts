// Guards of what is kept and for whom: retention, deletion, the cache and the log in Redis.
import type { Mutant } from './mutant.ts'

const schema = { file: 'schema.sql', tests: 'test/contract/neon-postgres.test.ts' }
const cache = { file: 'src/adapters/upstash/cache.ts', tests: 'test/contract/cache/upstash.test.ts' }
const seal = { ...cache, file: 'src/kernel/seal.ts' }
const log = { file: 'src/adapters/upstash/event-log.ts', tests: 'test/contract/event-log/upstash.test.ts' }

export const retention: readonly Mutant[] = [
  {
    ...{ guard: 'owner of a deletion', ...schema, within: 'delete_thread' },
    ...{ find: ' and t.owner = coalesce(_owner, t.owner)', replace: '' },
    killedBy: ['a thread is seen by its owner, by nobody else'],
  },
  {
    ...{ guard: 'owner of a load', ...schema, within: 'load_chain' },
    ...{ find: ' or th.owner is distinct from coalesce(_owner, th.owner)', replace: '' },
    killedBy: ['a chain of nobody, of another owner'],
  },
  {
    ...{ guard: 'owner of a pruning', ...schema, within: 'prune_thread' },
    ...{ find: ' or th.owner is distinct from coalesce(_owner, th.owner)', replace: '' },
    killedBy: ['only whose thread it is may prune it'],
  },
  {
    ...{ guard: 'pruning keeps a snapshot to read from', ...schema, within: 'prune_thread' },
    ...{ find: 'where not (kept.based and kept.n >= _keep)', replace: 'where kept.n < _keep' },
    killedBy: ['a thread keeps its newest checkpoints', 'without a snapshot nothing can go'],
  },
  {
    ...{ guard: 'pruning keeps where a rollback leads', ...schema, within: 'prune_thread' },
    find: "    select coalesce(r.base, r.fork_from) from recollect.runs r\n      where r.tenant = _tenant and r.thread = _thread and r.status in ('queued', 'running', 'waiting')\n    union\n",
    replace: '',
    killedBy: ['where a run at work would be rolled back to stays'],
  },
  {
    ...{ guard: 'a thread with a run that is due does not expire', ...schema, within: 'expired' },
    find: " and not exists (select 1 from recollect.runs r\n    where r.tenant = t.tenant and r.thread = t.thread and r.status in ('queued', 'running', 'waiting'))",
    replace: '',
    killedBy: ['a thread with a run that is due stays'],
  },
  {
    ...{ guard: 'a thread that was used meanwhile is not deleted', ...schema, within: 'delete_expired_thread' },
    ...{ find: ' and recollect.expired_v1(t)', replace: '' },
    killedBy: ['a thread with a time to live goes when', 'a thread with a run that is due stays'],
  },
  {
    ...{ guard: 'lock of a deletion for age', ...schema, within: 'delete_expired_thread' },
    ...{ find: 't.thread = _thread for update;', replace: 't.thread = _thread;' },
    killedBy: ['a thread that is being used as its time ends stays'],
  },
  {
    ...{ guard: 'the cache appends behind what it knows', ...cache },
    ...{
      find: 'if not last or string.sub(last, 1, #ARGV[1]) ~= ARGV[1] then return 0 end',
      replace: 'if not last then return 0 end',
    },
    killedBy: ['does not append behind another entry', 'appends the same turn once'],
  },
  {
    ...{ guard: 'the cache never begins by appending', ...cache },
    ...{ find: 'if not last or string.sub(last, 1, #ARGV[1])', replace: 'if last and string.sub(last, 1, #ARGV[1])' },
    killedBy: ['never begins a thread by appending'],
    redundant:
      'A turn that stands where the state must be does not open: it names one before it. It would only take room.',
  },
  {
    ...{ guard: 'a cached turn follows the one before', ...cache },
    ...{
      find: "index === 0 ? '' : (elements[index - 1]?.split('.')[1] ?? '')",
      replace: "element.split('.')[2] ?? ''",
    },
    killedBy: ['is a miss when an element is missing in the middle', 'is a miss when elements are swapped'],
  },
  {
    ...{ guard: 'a sealed entry is bound to its header', ...seal },
    ...{ find: 'encoder.encode(header + this.#place)', replace: 'encoder.encode(this.#place)' },
    killedBy: ['is a miss when a header is forged'],
  },
  {
    ...{ guard: 'T7 the log takes nothing more of an earlier claim', ...log },
    ...{ find: 'if known > epoch then return 0 end', replace: '' },
    killedBy: ['T7 begins anew with a later claim'],
  },
  {
    ...{ guard: 'the log keeps a part once', ...log },
    ...{ find: 'if length == tonumber(ARGV[2]) + 1 then return 1 end', replace: '' },
    killedBy: ['keeps a part once, however often it is sent'],
  },
]
