// Guards of what is written: commits, parts of tasks, snapshots, messages.
import type { Mutant } from './mutant.ts'

const commit = { file: 'schema.sql', within: 'commit_step', tests: 'test/contract/neon-postgres.test.ts' }
const supersede = { ...commit, within: 'supersede' }
const part = { ...commit, within: 'save_task' }
const snapshot = { ...commit, within: 'put_snapshot' }
const take = { ...commit, within: 'take_messages' }
const settle = { ...commit, within: 'settle_message' }

export const commits: readonly Mutant[] = [
  {
    ...{
      guard: 'thread row lock in commit',
      ...commit,
      find: 't.thread = _thread for update;',
      replace: 't.thread = _thread;',
    },
    killedBy: ['of 20 copies of one commit exactly one is applied', 'a commit waits for a claim in flight'],
  },
  {
    ...{ guard: 'last_commit', ...commit, find: 'if r.last_commit = commit_id then', replace: 'if false then' },
    killedBy: ['a commit sent again is known again'],
  },
  {
    ...{ guard: "last_commit's epoch", ...commit, find: "_step || ':' || _epoch", replace: "_step || ':'" },
    killedBy: ['of two workers that commit the same step of the same run'],
  },
  {
    ...{ guard: "commit's epoch", ...commit, find: ' or th.epoch <> _epoch', replace: '' },
    killedBy: [
      'a commit with the wrong epoch alone is fenced',
      'a commit with the wrong earlier epoch alone is fenced',
    ],
  },
  {
    ...{ guard: "commit's head", ...commit, find: ' or th.head <> _head', replace: '' },
    killedBy: ['a commit with the wrong head alone is fenced'],
  },
  {
    ...{ guard: "commit's hash", ...commit, find: ' or th.head_hash <> _hash', replace: '' },
    killedBy: ['a commit with the wrong hash alone is fenced'],
  },
  {
    ...{ guard: "commit's token", ...commit, find: ' or th.lease_token is distinct from _token', replace: '' },
    killedBy: ['a commit with the wrong token alone is fenced'],
  },
  {
    ...{ guard: 'lease_run', ...commit, find: ' or th.lease_run is distinct from _run', replace: '' },
    killedBy: ["a commit in the name of another thread's run is fenced"],
  },
  {
    ...{ guard: 'run status', ...commit, find: " or r.status <> 'running'", replace: '' },
    killedBy: ['a run that was declared dead takes no commit'],
  },
  {
    ...{ guard: 'last_seq: numbers never go back', ...commit },
    find: 'values (_tenant, _thread, th.last_seq + i, case when i = 1 then _head else th.last_seq + i - 1 end,',
    replace: 'values (_tenant, _thread, _head + i, case when i = 1 then _head else _head + i - 1 end,',
    killedBy: ['a run rolled back is as if it had never begun'],
  },
  {
    ...{
      guard: 'lease renewed by a commit',
      ...commit,
      find: "case when _status = 'running' then clock_timestamp() + _lease_ms * interval '1 millisecond' end",
      replace: 't.lease_until',
    },
    killedBy: ['a run that goes on keeps the thread, renews its lease'],
  },
  {
    ...{ guard: 'attempts counted anew by a commit', ...commit },
    ...{ find: 'error = _error, attempts = 0, ', replace: 'error = _error, ' },
    killedBy: ['a run that goes on keeps the thread, renews its lease', 'a commit of two checkpoints moves the head'],
  },
  {
    ...{ guard: 'parts dropped by the commit', ...commit },
    find: "delete from recollect.writes w where w.tenant = _tenant and w.thread = _thread\n    and not (_status in ('error', 'waiting') and w.run = next.run and w.step = next.step);",
    replace: '',
    killedBy: ['a cancelled run leaves nothing to go on with'],
  },
  {
    ...{ guard: 'T5 parts kept by a failure', ...commit },
    find: " and not (_status in ('error', 'waiting') and w.run = next.run and w.step = next.step)",
    replace: '',
    killedBy: ['T5 what a failed superstep had finished is found'],
  },
  {
    ...{ guard: 'hash put back by a rollback', ...commit, within: 'put_back' },
    find: 'set head = _base, head_hash = coalesce(',
    replace: 'set head = _base, head_hash = coalesce(t.head_hash, ',
    killedBy: ['a run rolled back is as if it had never begun'],
  },
  {
    ...{
      guard: 'inputs carried once',
      ...supersede,
      find: "set status = 'interrupted', input = null, carried = null,",
      replace: "set status = 'interrupted',",
    },
    killedBy: ['inputs are carried over two interruptions', 'the run in the place of another fences it'],
    redundant: 'A run that was interrupted is not due: nothing reads what it still holds. Dropping it saves room.',
  },
  {
    ...{
      guard: 'the first value of a part',
      ...part,
      find: 'values (_tenant, _thread, next.run, next.step, _task, _key, _value) on conflict do nothing;',
    },
    replace:
      'values (_tenant, _thread, next.run, next.step, _task, _key, _value) on conflict (tenant, thread, run, step, task, key) do update set value = excluded.value;',
    killedBy: ['the first value under a key is the value'],
  },
  {
    ...{
      guard: 'claim of a part',
      ...part,
      find: 'th.thread is null or th.epoch <> _epoch or th.lease_run is distinct from _run or th.lease_token is distinct from _token',
      replace: 'th.thread is null',
    },
    killedBy: ['whoever has lost the claim keeps nothing'],
  },
  {
    ...{ guard: 'hash of a snapshot', ...snapshot, find: ' and c.hash = _hash', replace: '' },
    killedBy: ['a snapshot is attached once, to the checkpoint of its hash only'],
  },
  {
    ...{ guard: 'one snapshot', ...snapshot, find: ' and c.snapshot is null\n', replace: '\n' },
    killedBy: ['a snapshot is attached once, to the checkpoint of its hash only', 'the sizes that come with a claim'],
  },
  {
    ...{
      guard: 'lock of a snapshot',
      ...snapshot,
      find: 't.thread = _thread for update;',
      replace: 't.thread = _thread;',
    },
    killedBy: ['a snapshot waits for a commit in flight'],
  },
  {
    ...{ guard: 'a message is lent to one', ...take, find: 'o.due_at <= clock_timestamp()', replace: 'true' },
    killedBy: ['a message is lent to one at a time'],
  },
  {
    ...{ guard: 'lock of a message', ...take, find: ' for update skip locked', replace: '' },
    killedBy: ['many takers at once get each message once', 'a message that is being lent is lent to nobody else'],
  },
  {
    ...{ guard: 'token of a delivery', ...settle, find: ' and o.token = _token', replace: '' },
    killedBy: ['a message is lent to one at a time', 'what failed is due again after its pause'],
  },
]
