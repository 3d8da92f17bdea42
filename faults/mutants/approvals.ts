// Guards of answers to what runs ask.
import type { Mutant } from './mutant.ts'

const contract = { file: 'schema.sql', tests: 'test/contract/neon-postgres.test.ts' }
const races = { file: 'schema.sql', tests: 'test/contract/approval-races.test.ts' }
const answering = { within: 'answer_approval' }

export const approvalGuards: readonly Mutant[] = [
  {
    ...{ guard: 'owner of an answer', ...contract, ...answering },
    ...{ find: ' or a.requester is distinct from coalesce(_owner, a.requester)', replace: '' },
    killedBy: ['nobody is told of what is not theirs'],
  },
  {
    ...{ guard: 'an approver answers', ...contract, ...answering },
    ...{ find: "a.answerer = 'approver' and not _approver or ", replace: '' },
    killedBy: ['whoever may answer is said by the question'],
  },
  {
    ...{ guard: 'only those who are named answer', ...contract, ...answering },
    ...{ find: '_by <> all(a.approvers) or ', replace: '' },
    killedBy: ['whoever may answer is said by the question'],
  },
  {
    ...{ guard: 'an empty list names nobody', ...contract, within: 'commit_step' },
    find: 'case when x.approvers is not null then array(select json_array_elements_text(x.approvers)) end',
    replace: '(select array_agg(e) from json_array_elements_text(x.approvers) e)',
    killedBy: ['whoever may answer is said by the question'],
  },
  {
    ...{ guard: 'whoever asked does not approve', ...contract, ...answering },
    ...{ find: ' or a.not_requester and _by = a.requester', replace: '' },
    killedBy: ['whoever may answer is said by the question'],
  },
  {
    ...{ guard: 'an answer comes before its time is over', ...contract, ...answering },
    ...{ find: "when a.status = 'pending' and a.expires_at < clock_timestamp() then 'expired'", replace: '' },
    killedBy: ['what nobody answers in time expires'],
  },
  {
    ...{ guard: 'an answer is valid', ...contract, ...answering },
    ...{ find: "when a.status = 'pending' and _answer is null then 'invalid'", replace: '' },
    killedBy: ['an answer that is not valid is noted'],
  },
  {
    ...{ guard: 'an attempt is told the same again', ...contract, ...answering },
    ...{ find: "when a.answer_token = _token then 'repeated'", replace: '' },
    killedBy: ['answered again it changes nothing'],
  },
  {
    ...{ guard: 'lock of an answer', ...races, ...answering },
    ...{ find: 't.thread = a.thread for update;', replace: 't.thread = a.thread;' },
    killedBy: ['five copies of one answer', 'of two different answers', 'an answer beside the deletion'],
  },
  {
    ...{ guard: 'an answer beside a deletion', ...races, ...answering },
    ...{ find: "if a.id is null then return json_build_object('outcome', 'unknown'); end if;", replace: '' },
    killedBy: ['an answer beside the deletion'],
  },
  {
    ...{ guard: 'one webhook answers one question', ...races, ...answering },
    ...{ find: 'if not found then\n      select', replace: 'if false then\n      select' },
    killedBy: ['one webhook for two questions'],
  },
  {
    ...{ guard: 'a task waits for all of its answers', ...contract, within: 'resume' },
    find: " or exists (select 1 from recollect.approvals a where a.tenant = r.tenant and a.thread = r.thread\n    and a.run = r.run and a.task = _task and a.status = 'pending')",
    replace: '',
    killedBy: ['a task goes on once all that it asked is answered'],
  },
  {
    ...{ guard: 'an answer beside a commit makes its run due', ...contract, within: 'commit_step' },
    ...{ find: "if _status = 'waiting' then", replace: 'if false then' },
    killedBy: ['a task goes on once all that it asked is answered'],
  },
  {
    ...{ guard: 'an answer is used up', ...contract, within: 'commit_step' },
    ...{ find: "if _status in ('running', 'success') then", replace: 'if false then' },
    killedBy: ['an answer is kept with who gave it'],
    redundant: 'What was used up is under the name of a superstep that is over: nobody looks there again.',
  },
  {
    ...{ guard: 'a run that waits withdraws what it asked', ...contract, within: 'end_waiting' },
    ...{ find: '  perform recollect.withdraw_v1(r);\n', replace: '' },
    killedBy: ['new input withdraws what was asked', 'a fork has nothing of what was asked'],
  },
  {
    ...{ guard: 'a run that is pushed aside withdraws what it was answered', ...contract, within: 'supersede' },
    ...{ find: '    perform recollect.withdraw_v1(r);\n', replace: '' },
    killedBy: ['an answer that nobody has taken up yet'],
  },
  {
    ...{ guard: 'a cancelled run withdraws what it asked', ...contract, within: 'cancel_run' },
    ...{ find: '  perform recollect.withdraw_v1(r);\n', replace: '' },
    killedBy: ['a waiting run is cancelled with its questions'],
  },
  {
    ...{ guard: 'a run that fails withdraws what is open', ...contract, within: 'commit_step' },
    find: "update recollect.approvals a set status = 'cancelled' where a.tenant = _tenant and a.thread = _thread and a.run = _run\n      and a.status = 'pending';",
    replace: '',
    killedBy: ['a run that fails withdraws what is open'],
  },
]
