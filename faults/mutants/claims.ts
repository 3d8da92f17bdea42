// Guards of a claim: whose thread it is, whose turn it is, and who has it already.
import type { Mutant } from './mutant.ts'

const begin = { file: 'schema.sql', within: 'begin_turn', tests: 'test/contract/neon-postgres.test.ts' }
const seize = { ...begin, within: 'seize' }
const due = { ...begin, within: 'first_due' }
const lease = { ...begin, within: 'renew_lease' }
const release = { ...begin, within: 'release_turn' }
const abandon = { ...begin, within: 'abandon_turn' }
const cancel = { ...begin, within: 'cancel_run' }

export const claims: readonly Mutant[] = [
  {
    ...{ guard: 'claim token', ...begin, find: 'if leased and th.lease_token = _token then', replace: 'if false then' },
    killedBy: ['a claim whose acknowledgement was lost is found again by its token'],
  },
  {
    ...{ guard: 'lock before ticket', ...begin },
    find: 'where t.tenant = _tenant and t.thread = _thread for update;\n  if th.thread is null and _create',
    replace: 'where t.tenant = _tenant and t.thread = _thread;\n  if th.thread is null and _create',
    killedBy: ['20 that wait in line at once have each a place of their own', 'a claim waits for a commit in flight'],
  },
  {
    ...{
      guard: 'owner of a claim',
      ...begin,
      find: 'th.thread is null or th.owner is distinct from coalesce(_owner, th.owner)',
    },
    replace: 'th.thread is null',
    killedBy: ["another owner's thread is as unknown as none"],
  },
  {
    ...{ guard: 'body hash', ...begin, find: 'if mine.body_hash <> _body_hash then', replace: 'if false then' },
    killedBy: ['the same key with another body is refused'],
  },
  {
    ...{
      guard: 'a run that ended is answered',
      ...begin,
      find: "if mine.status not in ('queued', 'running') then",
      replace: 'if false then',
    },
    killedBy: ['the same key with the same body is the same run'],
  },
  {
    ...{
      guard: 'a lease that holds',
      ...begin,
      find: 'if leased or due.graph <> _graph or',
      replace: 'if due.graph <> _graph or',
    },
    killedBy: ['a second turn on a busy thread is refused'],
  },
  {
    ...{ guard: 'graph of a run', ...begin, find: 'if leased or due.graph <> _graph or', replace: 'if leased or' },
    killedBy: ["another graph's run is left to a worker that has that graph"],
  },
  {
    ...{
      guard: 'attended grace',
      ...begin,
      find: '(due.run is distinct from mine.run and recollect.attended_v1(due))',
      replace: 'false',
    },
    killedBy: ['runs wait in the order they came in', 'a run that waits and is asked for is left alone'],
  },
  {
    ...{
      guard: 'a refused turn leaves no row',
      ...begin,
      find: "(due.run is null or _strategy <> 'reject')",
      replace: 'true',
    },
    killedBy: ['a second turn on a busy thread is refused', 'beside a line that is waited for'],
  },
  {
    ...{ guard: 'epoch raised by a claim', ...seize, find: 'epoch = t.epoch + 1, ', replace: '' },
    killedBy: ['a run whose lease has run out is taken over'],
  },
  {
    ...{
      guard: 'order of tickets',
      ...due,
      find: 'order by r.ticket limit 1',
      replace: 'order by r.ticket desc limit 1',
    },
    killedBy: ['runs wait in the order they came in'],
  },
  {
    ...{
      guard: 'dead after five attempts',
      ...due,
      find: 'or _leased or due.attempts < _max_attempts',
      replace: 'or true',
    },
    killedBy: ['after five claims without a commit a run is dead'],
  },
  {
    ...{ guard: 'epoch of a renewal', ...lease, find: 'and t.epoch = _epoch ', replace: '' },
    killedBy: ['a renewal prolongs the lease of its own claim'],
  },
  {
    ...{ guard: 'token of a renewal', ...lease, find: ' and t.lease_token = _token', replace: '' },
    killedBy: ['a renewal prolongs the lease of its own claim'],
  },
  {
    ...{ guard: 'token of a release', ...release, find: ' and t.lease_token = _token', replace: '' },
    killedBy: ['a claim given back frees the thread at once'],
  },
  {
    ...{ guard: 'token of a claim given up', ...abandon, find: ' and t.lease_token = _token', replace: '' },
    killedBy: ['a claim that is given up leaves the thread free'],
  },
  {
    ...{
      guard: 'a run given up that was kept before',
      ...abandon,
      find: 'delete from recollect.runs r where r.tenant = _tenant and r.run = th.lease_run and r.run = _run',
      replace: 'delete from recollect.runs r where r.tenant = _tenant and r.run = th.lease_run',
    },
    killedBy: ["a claim that is given up gives another's run back"],
  },
  {
    ...{
      guard: 'a run given up that has committed',
      ...abandon,
      find: 'r.run = _run and r.last_commit is null;',
      replace: 'r.run = _run;',
    },
    killedBy: ['a run that has committed is not taken away with its claim'],
  },
  {
    ...{ guard: 'epoch raised by a claim given up', ...abandon, find: ', epoch = t.epoch + 1', replace: '' },
    killedBy: ['a worker whose claim was given up for it can commit nothing'],
    redundant: 'The token goes with the lease, and a commit needs it; the next claim raises the epoch again.',
  },
  {
    ...{
      guard: 'owner of a cancellation',
      ...cancel,
      find: 'th.thread is null or th.owner is distinct from coalesce(_owner, th.owner)',
    },
    replace: 'th.thread is null',
    killedBy: ['what is not there, or not theirs, is unknown and goes on'],
  },
  {
    ...{
      guard: 'token of a cancellation',
      ...cancel,
      find: 'if th.lease_token is distinct from _token then th :=',
      replace: 'if true then th :=',
    },
    killedBy: ['sent again with its token it finds its own claim'],
  },
]
