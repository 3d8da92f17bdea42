-- The database of recollect. Safe to run on an empty database, again, and on every released version: `npm run migrate`.
-- Statements are separated by a line that ends in a semicolon; bodies of functions stand between $$.
-- User text is `text`, never `jsonb`: jsonb refuses \u0000 and lone surrogates, and one such message would brick a thread.
-- Times are the database's clock. Tenant comes first in every key.
-- What every turn calls is plpgsql: a body in SQL that is not inlined is parsed and planned anew at each call.

create schema if not exists recollect;

create table if not exists recollect.schema_version (
  version int primary key,
  applied_at timestamptz not null default clock_timestamp()
);

-- One conversation: who owns it, where its head is, and who holds it.
create table if not exists recollect.threads (
  tenant text not null,
  thread text not null,
  owner text not null,
  metadata jsonb not null default '{}',
  graph text,
  head bigint not null default 0,
  head_hash text not null default '',
  last_seq bigint not null default 0,
  last_ticket bigint not null default 0,
  epoch bigint not null default 0,
  lease_run text,
  lease_token text,
  lease_until timestamptz,
  status text not null default 'idle',
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, thread)
);

create index if not exists threads_of_owner on recollect.threads (tenant, owner, updated_at desc);

-- Since 2. A thread lives `ttl_ms` after its last turn; null: until it is deleted.
alter table recollect.threads add column if not exists ttl_ms bigint;
alter table recollect.threads add column if not exists expires_at timestamptz;

create index if not exists threads_expiring on recollect.threads (expires_at) where expires_at is not null;

-- One request to advance a thread: queued → running → success | error | dead | cancelled | interrupted | waiting, and from there
-- queued again when it is answered. `input`, and `carried` (inputs of runs that it interrupted), are dropped at the first commit;
-- `answer` is a checkpoint's number, `base` the head that it began on. `asks_at`: when whoever waits for it means to ask again.
create table if not exists recollect.runs (
  tenant text not null,
  run text not null,
  thread text not null,
  key text not null,
  body_hash text not null,
  graph text not null,
  input text,
  carried text[],
  ticket bigint not null,
  status text not null default 'queued',
  base bigint,
  asks_at timestamptz not null default clock_timestamp(),
  step int not null default 0,
  attempts int not null default 0,
  last_commit text,
  answer bigint,
  error text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant, run),
  unique (tenant, thread, key)
);

create index if not exists runs_due on recollect.runs (tenant, thread, ticket) where status in ('queued', 'running');

-- Since 2. Somebody asked to cancel it: whoever holds it next ends it and runs nothing.
alter table recollect.runs add column if not exists cancel_asked boolean not null default false;

-- Since 2. What `input` is: values that come from outside ('input'), or writes of a node, after which the run goes on ('command')
-- or ends ('update'). `fork_from`: the checkpoint that it begins at, in the place of the head. `stops`: where it waits by itself.
alter table recollect.runs add column if not exists kind text not null default 'input';
alter table recollect.runs add column if not exists fork_from bigint;
alter table recollect.runs add column if not exists stops text[];

create index if not exists runs_waiting on recollect.runs (tenant, thread) where status = 'waiting';

-- The state after a superstep: immutable but for `snapshot`, which is attached later and changes nothing that is read.
create table if not exists recollect.checkpoints (
  tenant text not null,
  thread text not null,
  seq bigint not null,
  parent bigint not null,
  run text not null,
  step int not null,
  hash text not null,
  delta text not null,
  snapshot text,
  chain_bytes int not null,
  base_bytes int not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, thread, seq)
);

-- Since 2. What the model calls of the superstep saw, as JSON: where in the thread their messages are, and not the messages.
alter table recollect.checkpoints add column if not exists seen text;

-- Since 2. Whether an update from outside wrote it.
alter table recollect.checkpoints add column if not exists updated boolean not null default false;

-- Since 2. What tasks of an unfinished superstep have given already: `key` is '' for what a finished task wrote, else that of a
-- `context.task`. A commit of the superstep drops them.
create table if not exists recollect.writes (
  tenant text not null,
  thread text not null,
  run text not null,
  step int not null,
  task int not null,
  key text not null,
  value text not null,
  primary key (tenant, thread, run, step, task, key)
);

-- Since 2. A question that a task has asked and a person must answer: pending → answered | expired | cancelled. It is bound to the
-- superstep (`step_run`, `step`: see next_superstep_v1) and the task that asked, and to exactly what was shown: `key` has the
-- hash of the payload in it. `used_at`: when the superstep was committed that took the answer. `answerer`: 'owner' of the thread,
-- or an 'approver'; of those named in `approvers` unless that is null. `number`: the order of asking, which times do not tell: of
-- one commit they may be equal.
create table if not exists recollect.approvals (
  tenant text not null,
  id text not null,
  thread text not null,
  run text not null,
  graph text not null,
  requester text not null,
  seq bigint not null,
  step_run text not null,
  step int not null,
  task int not null,
  node text not null,
  key text not null,
  kind text not null,
  payload text not null,
  answerer text not null,
  approvers text[],
  not_requester boolean not null,
  status text not null default 'pending',
  answer text,
  answered_by text,
  answered_via text,
  answer_token text,
  answered_at timestamptz,
  used_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  number bigint generated always as identity,
  primary key (tenant, id)
);

create index if not exists approvals_of_superstep on recollect.approvals (tenant, thread, step_run, step);
create index if not exists approvals_pending on recollect.approvals (tenant, created_at) where status = 'pending';
create index if not exists approvals_expiring on recollect.approvals (expires_at) where status = 'pending' and expires_at is not null;

-- Since 2. Everyone who tried to answer, and what they were told.
create table if not exists recollect.approval_attempts (
  tenant text not null,
  approval text not null,
  at timestamptz not null default clock_timestamp(),
  by text not null,
  via text not null,
  outcome text not null,
  number bigint generated always as identity
);

create index if not exists attempts_of_approval on recollect.approval_attempts (tenant, approval, at);

-- Since 2. Ids of webhooks that were accepted, with what was said of them.
create table if not exists recollect.webhooks_seen (
  tenant text not null,
  id text not null,
  approval text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);

-- Since 2. Messages to the outside, written by the commit of the superstep that sent them and delivered at least once:
-- pending → delivered | failed. `due_at`: when the next attempt may begin; while one is being made, when it is given up.
-- `endpoint`: of a webhook, where it goes; its `topic` is the event's type, and its `payload` the event's data as JSON. `owner`: of the
-- thread, which may be gone before the message; null: a message of the store, which names nobody.
create table if not exists recollect.outbox (
  tenant text not null,
  id text not null,
  thread text not null,
  run text not null,
  graph text not null,
  topic text not null,
  payload text not null,
  status text not null default 'pending',
  attempts int not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  token text,
  error text,
  endpoint text,
  owner text,
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant, id)
);

create index if not exists outbox_due on recollect.outbox (due_at) where status = 'pending';
create index if not exists outbox_settled on recollect.outbox (settled_at) where settled_at is not null;
create index if not exists outbox_of_thread on recollect.outbox (tenant, thread);
create index if not exists outbox_of_owner on recollect.outbox (tenant, owner) where owner is not null;
create index if not exists outbox_of_endpoint on recollect.outbox (tenant, endpoint, due_at) where status = 'pending' and endpoint is not null;

-- Since 2. Where a tenant wants to be told of what happens. `secrets`: [{ sealed, until }], newest first; `until` is null, or, of one
-- whose place another has taken, the end of its time in milliseconds since 1970. `failures`: attempts since the last that succeeded.
create table if not exists recollect.webhook_endpoints (
  tenant text not null,
  id text not null,
  url text not null,
  events text[] not null,
  secrets jsonb not null,
  failures int not null default 0,
  disabled_at timestamptz,
  disabled_reason text,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);

-- Since 2. What a tenant's own webhooks to us may be signed with. Several, so that one can take another's place.
create table if not exists recollect.webhook_keys (
  tenant text not null,
  id text not null,
  sealed text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);

-- Since 2. Every attempt to deliver a webhook. It has nothing of what was sent.
create table if not exists recollect.deliveries (
  tenant text not null,
  id text not null,
  endpoint text not null,
  webhook text not null,
  event text not null,
  attempt int not null,
  outcome text not null,
  status int,
  duration_ms int not null,
  error text,
  at timestamptz not null default clock_timestamp(),
  primary key (tenant, id)
);

create index if not exists deliveries_of_endpoint on recollect.deliveries (tenant, endpoint, at);
create index if not exists deliveries_old on recollect.deliveries (at);

-- A text as its words are compared, as src/kernel/words.ts has it: without accents, and of scripts that put no spaces between words,
-- or put endings to them, each two letters that stand together. What a column is made of cannot change: another spelling is a _v2.
create or replace function recollect.spelled_v1(_text text) returns text language plpgsql immutable as $$
declare
  unspaced constant text := '[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u30a1-\u30fa'
    || '\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af]+';
  plain text := normalize(regexp_replace(lower(normalize(_text, nfkd)), '[\u0300-\u036f]', '', 'g'), nfc);
begin
  plain := replace(replace(replace(translate(plain, 'øłđı’', 'oldi'''), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
  if plain !~ unspaced then return plain; end if;
  return regexp_replace(plain, unspaced, ' ', 'g') || (
    select string_agg(' ' || pair, '') from (
      select coalesce(letter || lead(letter) over (partition by run order by place), case place when 1 then letter end) as pair
      from regexp_matches(plain, unspaced, 'g') with ordinality runs (letters, run),
        unnest(string_to_array(letters[1], null)) with ordinality each (letter, place)
    ) pairs
  );
end $$;

-- Since 2. What is remembered across threads: items under namespaces. `id` is made of namespace and key; `path` is the namespace, each
-- segment with a mark behind it that no segment contains, so that what lies below a namespace is a range of paths. `value` is kept
-- as text; `doc` is what filters read of it, without what jsonb refuses. `space`: which part of the index it is in. An item whose
-- `expires_at` is over is there for nobody. `indexed_version`: what the index was told last. Its queries see it some seconds later:
-- `settled_version` is what they are sure to see; below `version`: the index is behind. `text_before`, `text_after`: what was said beside
-- it, for the index alone.
create table if not exists recollect.items (
  tenant text not null,
  id text collate "C" not null,
  space text not null,
  path text collate "C" not null,
  key text collate "C" not null,
  value text not null,
  doc jsonb not null,
  text text not null,
  text_before text,
  text_after text,
  tags text[] not null,
  source text,
  author text,
  version bigint not null,
  indexed_version bigint not null,
  settled_version bigint not null,
  ttl_ms bigint,
  expires_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  words tsvector generated always as (
    to_tsvector('english', recollect.spelled_v1(text)) || to_tsvector('simple', recollect.spelled_v1(text))) stored,
  primary key (tenant, id)
);

create index if not exists items_within on recollect.items (tenant, path);
-- What is listed is listed newest first: without it a page of a tenant reads and sorts all that the tenant has.
create index if not exists items_latest on recollect.items (tenant, updated_at desc, id);
create index if not exists items_by_words on recollect.items using gin (words);
create index if not exists items_expiring on recollect.items (expires_at) where expires_at is not null;
create index if not exists items_behind on recollect.items (tenant, path) where settled_version < version;

-- Since 2. Versions of items that were replaced; they go with their item.
create table if not exists recollect.item_history (
  tenant text not null,
  id text collate "C" not null,
  version bigint not null,
  value text not null,
  tags text[] not null,
  source text,
  author text,
  at timestamptz not null,
  primary key (tenant, id, version)
);

-- Since 2. Threads that were deleted within a day, by a hash: a worker that still runs one of them remembers nothing more (run_holds_v1).
create table if not exists recollect.deleted_threads (
  tenant text not null,
  thread_hash text not null,
  deleted_at timestamptz not null default clock_timestamp(),
  primary key (tenant, thread_hash)
);

create index if not exists deleted_threads_old on recollect.deleted_threads (deleted_at);

-- Since 2. What an index of items is made with: `embedder` names the model, '' for none of ours.
create table if not exists recollect.index_meta (
  name text primary key,
  kind text not null,
  embedder text not null,
  dimensions int not null,
  created_at timestamptz not null default clock_timestamp()
);

-- One branch of checkpoints, newest first: from `_seq` back to the first snapshot at or below the `_count`th, or to the root,
-- or to where it was pruned.
-- It steps by a lateral join: a plain recursive join is quadratic without statistics, and always so in PGlite.
create or replace function recollect.chain_v1(_tenant text, _thread text, _seq bigint, _count int)
returns json language plpgsql stable as $$
begin
  return (
    with recursive chain as (
      select 1 as n, c.seq, c.parent, c.hash, c.run, c.step, c.created_at, c.delta, c.snapshot, c.updated
      from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = _seq
      union all
      select chain.n + 1, p.* from chain cross join lateral (
        select c.seq, c.parent, c.hash, c.run, c.step, c.created_at, c.delta, c.snapshot, c.updated
        from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = chain.parent limit 1
      ) p where chain.snapshot is null or chain.n < _count
    ), base as (
      -- Where the rest was pruned, what is left of the branch begins with a snapshot.
      select coalesce(min(n) filter (where n >= _count),
        max(n) filter (where (select b.parent from chain b order by b.n desc limit 1) > 0)) as n
      from chain where snapshot is not null
    )
    select json_agg(json_build_array(chain.seq, chain.parent, chain.hash, chain.run, chain.step, chain.created_at,
      case when chain.n = base.n then 's' else 'd' end,
      case when chain.n = base.n then chain.snapshot else chain.delta end, chain.updated) order by chain.n desc)
    from chain, base
  );
end $$;

create or replace function recollect.load_chain_v1(_tenant text, _thread text, _owner text, _seq bigint, _count int)
returns json language plpgsql stable as $$
declare
  th recollect.threads;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread;
  if th.thread is null or th.owner is distinct from coalesce(_owner, th.owner) then return null; end if;
  return json_build_object('head', th.head,
    'frames', recollect.chain_v1(_tenant, _thread, coalesce(_seq, th.head), _count),
    'asked', (select json_agg(recollect.approval_json_v1(a) order by a.number) from recollect.approvals a
      where a.tenant = _tenant and a.thread = _thread and a.status = 'pending'
        and coalesce(a.expires_at >= clock_timestamp(), true)));
end $$;

-- How a checkpoint came about: what its model calls saw, and what its superstep asked. That is what its run asked at the checkpoint
-- before; or, of a superstep that was asked by a run that failed then, what that run's was answered and this one took.
create or replace function recollect.load_step_v1(_tenant text, _thread text, _owner text, _seq bigint)
returns json language plpgsql stable as $$
declare
  cp recollect.checkpoints;
  before text; -- the run that committed the checkpoint before
begin
  select c.* into cp from recollect.checkpoints c join recollect.threads t on t.tenant = c.tenant and t.thread = c.thread
    where c.tenant = _tenant and c.thread = _thread and c.seq = _seq and t.owner = coalesce(_owner, t.owner);
  if cp.seq is null then return null; end if;
  select p.run into before from recollect.checkpoints p where p.tenant = _tenant and p.thread = _thread and p.seq = cp.parent
    and not exists (select 1 from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.parent = p.seq
      and c.run = p.run);
  return json_build_object('seen', cp.seen,
    'approvals', (select json_agg(recollect.approval_json_v1(a) order by a.created_at, a.task, a.id) from recollect.approvals a
      where a.tenant = _tenant and a.thread = _thread and a.seq = cp.parent and cp.step > 0
        and (a.run = cp.run or (a.run = before and a.used_at is not null))));
end $$;

-- A queued run is left to whoever waits for it until they are 5 s late.
create or replace function recollect.attended_v1(r recollect.runs) returns boolean language sql stable as $$
  select r.status = 'queued' and r.asks_at > clock_timestamp() - interval '5 seconds'
$$;

-- Due, and nobody works on it or waits for it.
create or replace function recollect.orphaned_v1(r recollect.runs) returns boolean language sql stable as $$
  select r.status in ('queued', 'running') and not recollect.attended_v1(r) and not exists (select 1 from recollect.threads t
    where t.tenant = r.tenant and t.thread = r.thread and t.lease_until >= clock_timestamp())
$$;

-- A run as the Worker reads it.
create or replace function recollect.run_json_v1(r recollect.runs) returns json language sql stable as $$
  select json_build_object('run', r.run, 'thread', r.thread, 'graph', r.graph, 'status', r.status, 'step', r.step,
    'attempts', r.attempts, 'answer', r.answer, 'error', r.error, 'orphaned', recollect.orphaned_v1(r),
    'createdAt', r.created_at, 'updatedAt', r.updated_at)
$$;

-- The superstep that comes next: that of a run with an input to take in, or with a checkpoint of its own to begin at, is its own
-- first; else it is the one behind the head, whichever run goes on with it, so that what a failed run left behind is found by the
-- run that continues it. Behind a head from which a branch has left already, or that came from another thread, it is a new one:
-- what was done there under the old name has been done.
create or replace function recollect.next_superstep_v1(th recollect.threads, r recollect.runs, cp recollect.checkpoints,
  out run text, out step int)
language plpgsql stable as $$
declare
  fresh boolean := case
    when cp.run is null then true
    when r.step > 0 then false
    when coalesce(r.input, 'null') <> 'null' or cardinality(r.carried) > 0 or r.fork_from is not null then true
    when th.last_seq > cp.seq and exists (select 1 from recollect.checkpoints c where c.tenant = th.tenant
      and c.thread = th.thread and c.seq > cp.seq and c.parent = cp.seq) then true
    else not exists (select 1 from recollect.runs x where x.tenant = th.tenant and x.run = cp.run and x.thread = th.thread)
  end;
begin
  run := case when fresh then r.run else cp.run end;
  step := case when fresh then 1 else cp.step + 1 end;
end $$;

-- Puts an event into the outbox for each endpoint that wants it, with whatever makes it true. Gives for how many.
create or replace function recollect.announce_v1(_tenant text, _thread text, _run text, _graph text, _type text, _data json)
returns int language plpgsql as $$
declare
  announced int;
begin
  insert into recollect.outbox (tenant, id, thread, run, graph, topic, payload, endpoint, owner)
    select _tenant, 'msg_' || replace(gen_random_uuid()::text, '-', ''), _thread, _run, _graph, _type, _data::text, e.id,
      (select t.owner from recollect.threads t where t.tenant = _tenant and t.thread = _thread)
    from recollect.webhook_endpoints e where e.tenant = _tenant and e.disabled_at is null and _type = any(e.events);
  get diagnostics announced = row_count;
  return announced;
end $$;

-- A run that has ended. What is written from outside runs nothing, and is not told of; nor is what somebody cancelled. The code of
-- its error is cut out: taken apart as JSON, a message with U+0000 in it would refuse the commit.
create or replace function recollect.announce_run_v1(r recollect.runs) returns int language plpgsql as $$
begin
  if r.kind = 'update' or r.status not in ('success', 'error', 'dead') then return 0; end if;
  return recollect.announce_v1(r.tenant, r.thread, r.run, r.graph, case r.status when 'success' then 'run.finished' else 'run.failed' end,
    json_build_object('thread_id', r.thread, 'run_id', r.run, 'graph_id', r.graph, 'status', r.status,
      'checkpoint_id', r.answer::text,
      'error', case when r.error is not null then json_build_object('code', substring(r.error from '^{"code" ?: ?"(\w+)"')) end));
end $$;

-- A payload of more than 64 KiB is left out: whoever is to decide reads it where all of it is shown.
create or replace function recollect.announce_approval_v1(a recollect.approvals) returns int language sql as $$
  select recollect.announce_v1(a.tenant, a.thread, a.run, a.graph, 'approval.requested',
    json_build_object('thread_id', a.thread, 'run_id', a.run, 'graph_id', a.graph, 'approval', json_build_object('id', a.id,
      'kind', a.kind, 'node', a.node, 'payload', case when octet_length(a.payload) <= 65536 then a.payload end,
      'expires_at', a.expires_at)))
$$;

-- The run that is next on a thread, after those that were tried too often have been given up.
create or replace function recollect.first_due_v1(_tenant text, _thread text, _leased boolean, _max_attempts int)
returns recollect.runs language plpgsql as $$
declare
  due recollect.runs;
begin
  loop
    select * into due from recollect.runs r where r.tenant = _tenant and r.thread = _thread
      and r.status in ('queued', 'running') order by r.ticket limit 1;
    if due.run is null or _leased or due.attempts < _max_attempts then return due; end if;
    update recollect.runs r set status = 'dead', updated_at = clock_timestamp(),
      error = '{"code":"run_failed","message":"The run was started ' || due.attempts || ' times and never got to a commit; it is not tried again. Its input is kept with the run."}'
      where r.tenant = _tenant and r.run = due.run returning r.* into due;
    perform recollect.withdraw_v1(due);
    perform recollect.announce_run_v1(due);
    update recollect.threads t set status = 'error' where t.tenant = _tenant and t.thread = _thread;
  end loop;
end $$;

-- What a run has asked is asked no more, and an answer that it has not taken is good for nothing.
create or replace function recollect.withdraw_v1(r recollect.runs) returns void language sql as $$
  update recollect.approvals a set status = 'cancelled' where a.tenant = r.tenant and a.thread = r.thread and a.run = r.run
    and (a.status = 'pending' or a.status = 'answered' and a.used_at is null)
$$;

-- Whether somebody has to answer before a run can go on.
create or replace function recollect.asked_v1(r recollect.runs) returns boolean language sql stable as $$
  select exists (select 1 from recollect.approvals a where a.tenant = r.tenant and a.thread = r.thread and a.run = r.run
    and a.status = 'pending')
$$;

-- Puts the head back to where a run began; the claim that follows fences whoever works on the thread.
create or replace function recollect.put_back_v1(_tenant text, _thread text, _base bigint) returns void language sql as $$
  update recollect.threads t set head = _base, head_hash = coalesce((select c.hash from recollect.checkpoints c
      where c.tenant = _tenant and c.thread = _thread and c.seq = _base), '')
    where t.tenant = _tenant and t.thread = _thread
$$;

-- Ends the run that waits on a thread, for another is to go on from its head, or with `_rollback` from where it began: one that
-- only stopped by itself is done, and stays.
create or replace function recollect.end_waiting_v1(r recollect.runs, _rollback boolean) returns void language plpgsql as $$
begin
  update recollect.runs x set status = case when recollect.asked_v1(r) then 'cancelled' else 'success' end,
    updated_at = clock_timestamp() where x.tenant = r.tenant and x.run = r.run returning x.* into r;
  if _rollback and r.status = 'cancelled' then perform recollect.put_back_v1(r.tenant, r.thread, r.base); end if;
  perform recollect.withdraw_v1(r);
  perform recollect.announce_run_v1(r);
end $$;

-- Ends the runs before a new one; its claim, which follows, fences whoever works on them. `interrupt` keeps what they did and
-- carries the inputs that they had not yet taken in, those of another graph excepted, over to the new one. `rollback` puts the
-- head back to where the first of them began.
create or replace function recollect.supersede_v1(mine recollect.runs, _strategy text)
returns recollect.runs language plpgsql as $$
declare
  r recollect.runs;
  passed_on text[] := '{}';
  first_base bigint;
begin
  for r in select * from recollect.runs x where x.tenant = mine.tenant and x.thread = mine.thread
      and x.status in ('queued', 'running') and x.ticket < mine.ticket order by x.ticket loop
    perform recollect.withdraw_v1(r);
    first_base := least(first_base, r.base);
    if _strategy = 'rollback' then
      update recollect.runs x set status = 'cancelled', updated_at = clock_timestamp() where x.tenant = r.tenant and x.run = r.run;
    elsif r.graph <> mine.graph or r.kind <> 'input' then
      update recollect.runs x set status = 'interrupted', updated_at = clock_timestamp() where x.tenant = r.tenant and x.run = r.run;
    else
      passed_on := passed_on || r.carried;
      if r.input <> 'null' then passed_on := passed_on || r.input; end if;
      update recollect.runs x set status = 'interrupted', input = null, carried = null, updated_at = clock_timestamp()
        where x.tenant = r.tenant and x.run = r.run;
    end if;
  end loop;
  if _strategy = 'rollback' and first_base is not null then
    perform recollect.put_back_v1(mine.tenant, mine.thread, first_base);
  end if;
  update recollect.runs x set carried = passed_on where x.tenant = mine.tenant and x.run = mine.run returning x.* into mine;
  return mine;
end $$;

-- What a worker is told that has claimed a thread: the run to work on, the head, and what the next superstep has already.
create or replace function recollect.claim_json_v1(th recollect.threads, due recollect.runs, _mine boolean, _inline_bytes int)
returns json language plpgsql stable as $$
declare
  cp recollect.checkpoints;
  next record;
begin
  select * into cp from recollect.checkpoints c where c.tenant = th.tenant and c.thread = th.thread and c.seq = th.head;
  next := recollect.next_superstep_v1(th, due, cp);
  return json_build_object('outcome', 'claimed', 'run', due.run, 'mine', _mine,
    'graph', due.graph, 'owner', th.owner, 'epoch', th.epoch, 'head', th.head, 'hash', th.head_hash,
    'lastSeq', th.last_seq, 'step', due.step, 'input', due.input, 'carried', coalesce(due.carried, '{}'),
    'attempts', due.attempts, 'cancelled', due.cancel_asked, 'kind', due.kind, 'stops', coalesce(due.stops, '{}'),
    'answers', (select json_agg(json_build_object('id', a.id, 'task', a.task, 'node', a.node, 'key', a.key, 'kind', a.kind,
        'payload', a.payload, 'status', a.status, 'answer', a.answer) order by a.task, a.number)
      from recollect.approvals a where a.tenant = th.tenant and a.thread = th.thread and a.step_run = next.run
      and a.step = next.step and a.status in ('answered', 'expired', 'pending') and a.used_at is null),
    'superstep', json_build_object('run', next.run, 'step', next.step),
    'saved', (select json_agg(json_build_object('task', w.task, 'key', w.key, 'value', w.value)) from recollect.writes w
      where w.tenant = th.tenant and w.thread = th.thread and w.run = next.run and w.step = next.step),
    'chainBytes', coalesce(cp.chain_bytes, 0), 'baseBytes', coalesce(cp.base_bytes, 0),
    'frames', case when coalesce(cp.chain_bytes + cp.base_bytes, 0) <= _inline_bytes
      then coalesce(recollect.chain_v1(th.tenant, th.thread, th.head, 1), '[]'::json) end);
end $$;

-- Gives the thread to a worker, whoever had it: the epoch fences them.
create or replace function recollect.seize_v1(th recollect.threads, due recollect.runs, _token text, _lease_ms int)
returns recollect.threads language plpgsql as $$
begin
  update recollect.threads t set epoch = t.epoch + 1, lease_token = _token, lease_run = due.run,
    lease_until = clock_timestamp() + _lease_ms * interval '1 millisecond',
    expires_at = clock_timestamp() + t.ttl_ms * interval '1 millisecond',
    graph = due.graph, status = 'busy', updated_at = clock_timestamp()
    where t.tenant = th.tenant and t.thread = th.thread returning t.* into th;
  return th;
end $$;

-- Owner, idempotency, admission and claim, under the thread's row lock. `_ttl_ms`: of a thread that this makes.
-- outcome: claimed | queued | ended | waiting | busy | key-reused | unknown-thread | unknown-checkpoint | nothing-due
create or replace function recollect.begin_turn_v2(
  _tenant text, _thread text, _owner text, _create boolean, _ttl_ms bigint,
  _run text, _key text, _body_hash text, _graph text, _kind text, _input text, _fork_from bigint, _stops text[], _strategy text,
  _token text, _lease_ms int, _inline_bytes int, _max_attempts int
) returns json language plpgsql as $$
declare
  th recollect.threads;
  mine recollect.runs;   -- the run asked for
  due recollect.runs;    -- the run to work on
  waiting recollect.runs; -- the run that owns the head until it is answered, or pushed aside
  fork recollect.checkpoints;
  old_head bigint;
  leased boolean;
  ahead int;
begin
  -- Lock first: whatever is read before the lock may be older than what another worker has just written.
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  if th.thread is null and _create and _owner is not null then
    insert into recollect.threads (tenant, thread, owner, ttl_ms) values (_tenant, _thread, _owner, _ttl_ms)
      on conflict do nothing;
    select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  end if;
  if th.thread is null or th.owner is distinct from coalesce(_owner, th.owner) then
    return json_build_object('outcome', 'unknown-thread');
  end if;
  leased := coalesce(th.lease_until > clock_timestamp(), false);

  -- My own claim, whose acknowledgement was lost.
  if leased and th.lease_token = _token then
    select * into due from recollect.runs r where r.tenant = _tenant and r.run = th.lease_run;
    return recollect.claim_json_v1(th, due, _run is not null and due.key = _key, _inline_bytes);
  end if;
  if _run is not null then
    select * into mine from recollect.runs r where r.tenant = _tenant and r.thread = _thread and r.key = _key;
  end if;
  if mine.body_hash <> _body_hash then return json_build_object('outcome', 'key-reused'); end if;
  if mine.status not in ('queued', 'running') then
    return json_build_object('outcome', 'ended', 'run', recollect.run_json_v1(mine));
  end if;
  due := recollect.first_due_v1(_tenant, _thread, leased, _max_attempts);
  if mine.attempts >= _max_attempts and mine.run is distinct from due.run then
    select * into mine from recollect.runs r where r.tenant = _tenant and r.run = mine.run;
    return json_build_object('outcome', 'ended', 'run', recollect.run_json_v1(mine));
  end if;
  select * into waiting from recollect.runs r where r.tenant = _tenant and r.thread = _thread and r.status = 'waiting';
  if mine.run is null and _run is not null then
    -- Whoever will not push it aside, or brings nothing new, is told what it waits for.
    if waiting.run is not null and due.run is null and _fork_from is null and recollect.asked_v1(waiting)
      and (_strategy = 'reject' and _kind <> 'update' or _kind = 'input' and _input = 'null') then
      return json_build_object('outcome', 'waiting', 'run', recollect.run_json_v1(waiting));
    end if;
    if _fork_from is not null then
      select * into fork from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = _fork_from;
      if fork.seq is null then return json_build_object('outcome', 'unknown-checkpoint'); end if;
    end if;
  end if;
  -- A refused turn leaves no row; beside an orphan, which goes first, it is not yet refused or accepted.
  if mine.run is null and _run is not null and (due.run is null or _strategy <> 'reject') then
    insert into recollect.runs (tenant, run, thread, key, body_hash, graph, kind, input, fork_from, stops, ticket)
      values (_tenant, _run, _thread, _key, _body_hash, _graph, _kind, _input, _fork_from, _stops, th.last_ticket + 1)
      on conflict do nothing returning * into mine;
    -- The key is new, so the run's id is not: the tenant has given it to another run.
    if mine.run is null then return json_build_object('outcome', 'key-reused'); end if;
    update recollect.threads t set last_ticket = mine.ticket where t.tenant = _tenant and t.thread = _thread;
    -- Not before it is sure that the new run is accepted; and what is dead by then is not carried on.
    if due.run is not null and _strategy <> 'enqueue' then
      mine := recollect.supersede_v1(mine, _strategy);
      due := mine;
      leased := false;
    end if;
  end if;
  if due.run is null then due := mine; end if;
  if due.run is null then return json_build_object('outcome', 'nothing-due'); end if;
  -- Somebody works on it, or waits for it, or it takes a worker that has its graph.
  if leased or due.graph <> _graph or (due.run is distinct from mine.run and recollect.attended_v1(due)) then
    if mine.run is not null then
      select count(*) into ahead from recollect.runs r where r.tenant = _tenant and r.thread = _thread
        and r.status in ('queued', 'running') and r.ticket < mine.ticket;
      -- The caller asks again after a second for every run before the next in line: 250 ms to 15 s.
      update recollect.runs r set asks_at = clock_timestamp() + least(greatest(ahead - 1, 0.25), 15) * interval '1 second'
        where r.tenant = _tenant and r.run = mine.run;
      return json_build_object('outcome', 'queued', 'run', mine.run, 'ahead', ahead);
    end if;
    if _run is null then return json_build_object('outcome', 'nothing-due'); end if;
    return json_build_object('outcome', 'busy', 'run', due.run,
      'retryAfterMs', case when leased then ceil(extract(epoch from th.lease_until - clock_timestamp()) * 1000) else 10000 end);
  end if;
  if waiting.run is not null then
    perform recollect.end_waiting_v1(waiting, coalesce(_strategy = 'rollback' and due.run = mine.run, false));
  end if;
  th := recollect.seize_v1(th, due, _token, _lease_ms);
  old_head := th.head;
  -- A fork begins where it was told to, once: what it commits is then its own branch.
  if due.fork_from is not null and due.base is null then
    select * into fork from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = due.fork_from;
    update recollect.threads t set head = coalesce(fork.seq, t.head), head_hash = coalesce(fork.hash, t.head_hash)
      where t.tenant = _tenant and t.thread = _thread returning t.* into th;
  end if;
  update recollect.runs r set status = 'running', attempts = r.attempts + 1, base = coalesce(r.base, old_head),
    updated_at = clock_timestamp() where r.tenant = _tenant and r.run = due.run returning r.* into due;
  return recollect.claim_json_v1(th, due, _run is not null and due.key = _key, _inline_bytes);
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.begin_turn_v1(
  _tenant text, _thread text, _owner text, _create boolean,
  _run text, _key text, _body_hash text, _graph text, _input text, _strategy text,
  _token text, _lease_ms int, _inline_bytes int, _max_attempts int
) returns json language sql as $$
  select recollect.begin_turn_v2(_tenant, _thread, _owner, _create, null, _run, _key, _body_hash, _graph, 'input', _input,
    null, null, _strategy, _token, _lease_ms, _inline_bytes, _max_attempts)
$$;

-- Cancels a run. One that only waits in line is ended here. One that was begun is taken from whoever has it and handed to the
-- caller, who commits its input and its end; if the caller is lost, whoever takes it up next does so.
-- outcome: claimed | ended | unknown-thread | unknown-run
create or replace function recollect.cancel_run_v1(
  _tenant text, _thread text, _owner text, _run text, _token text, _lease_ms int, _inline_bytes int
) returns json language plpgsql as $$
declare
  th recollect.threads;
  r recollect.runs;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  if th.thread is null or th.owner is distinct from coalesce(_owner, th.owner) then
    return json_build_object('outcome', 'unknown-thread');
  end if;
  select * into r from recollect.runs x where x.tenant = _tenant and x.thread = _thread and x.run = _run;
  if r.run is null then return json_build_object('outcome', 'unknown-run'); end if;
  if r.status = 'queued' and r.base is null then
    update recollect.runs x set status = 'cancelled', updated_at = clock_timestamp()
      where x.tenant = _tenant and x.run = _run returning x.* into r;
  end if;
  if r.status not in ('queued', 'running', 'waiting') then
    return json_build_object('outcome', 'ended', 'run', recollect.run_json_v1(r));
  end if;
  if th.lease_token is distinct from _token then th := recollect.seize_v1(th, r, _token, _lease_ms); end if;
  update recollect.runs x set status = 'running', cancel_asked = true, updated_at = clock_timestamp()
    where x.tenant = _tenant and x.run = _run returning x.* into r;
  perform recollect.withdraw_v1(r);
  return recollect.claim_json_v1(th, r, false, _inline_bytes);
end $$;

-- Checkpoints, head, lease, run status, messages, and what tasks of a failed superstep have finished, under the thread's row
-- lock. Looking up and writing in one query instead would read a snapshot older than the lock and tell legitimate retries that
-- they are fenced. outcome: applied | already | fenced
create or replace function recollect.commit_step_v2(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _head bigint, _hash text, _step int,
  _steps int[], _hashes text[], _deltas text[], _seens text[], _status text, _error text, _lease_ms int,
  _saved_tasks int[], _saved_values text[], _message_ids text[], _message_topics text[], _message_payloads text[],
  _message_debounces int[], _questions json
) returns json language plpgsql as $$
declare
  th recollect.threads;
  r recollect.runs;
  parent recollect.checkpoints;
  commit_id text := _step || ':' || _epoch || case when _status = 'waiting' then ':waiting' else '' end;
  n int := coalesce(array_length(_deltas, 1), 0);
  next record;
  chain int;
  base int;
  announced int;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  select * into r from recollect.runs x where x.tenant = _tenant and x.run = _run;
  -- The id names run, step and claim: by run and step alone, one worker would be told that another's commit was its own.
  if r.last_commit = commit_id then
    return json_build_object('outcome', 'already', 'head', r.answer, 'status', r.status);
  end if;
  if th.thread is null or r.run is null or r.status <> 'running' or th.epoch <> _epoch or th.head <> _head
    or th.head_hash <> _hash or th.lease_run is distinct from _run or th.lease_token is distinct from _token then
    return json_build_object('outcome', 'fenced', 'head', coalesce(th.head, 0),
      'status', case when r.cancel_asked then 'cancelled' else coalesce(r.status, 'dead') end);
  end if;
  select * into parent from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = _head;
  next := recollect.next_superstep_v1(th, r, parent);
  chain := case when parent.snapshot is null then coalesce(parent.chain_bytes, 0) else 0 end;
  base := case when parent.snapshot is null then coalesce(parent.base_bytes, 0) else octet_length(parent.snapshot) end;
  for i in 1..n loop
    chain := chain + octet_length(_deltas[i]);
    insert into recollect.checkpoints (tenant, thread, seq, parent, run, step, hash, delta, seen, updated, chain_bytes, base_bytes)
      values (_tenant, _thread, th.last_seq + i, case when i = 1 then _head else th.last_seq + i - 1 end,
        _run, _steps[i], _hashes[i], _deltas[i], _seens[i], r.kind = 'update', chain, base);
  end loop;
  delete from recollect.writes w where w.tenant = _tenant and w.thread = _thread
    and not (_status in ('error', 'waiting') and w.run = next.run and w.step = next.step);
  insert into recollect.writes (tenant, thread, run, step, task, key, value)
    select _tenant, _thread, next.run, next.step, x.task, '', x.value from unnest(_saved_tasks, _saved_values) x (task, value)
    on conflict do nothing;
  if _status in ('running', 'success') then
    update recollect.approvals a set used_at = clock_timestamp() where a.tenant = _tenant and a.thread = _thread
      and a.step_run = next.run and a.step = next.step and a.status = 'answered' and a.used_at is null;
  elsif _status = 'error' then
    -- What was answered stays for whoever goes on with this superstep; what nobody has answered in time is asked anew.
    update recollect.approvals a set status = 'cancelled' where a.tenant = _tenant and a.thread = _thread and a.run = _run
      and a.status = 'pending';
    update recollect.approvals a set used_at = clock_timestamp() where a.tenant = _tenant and a.thread = _thread and a.run = _run
      and a.status = 'expired' and a.used_at is null;
  end if;
  with asked as (
    insert into recollect.approvals (tenant, id, thread, run, graph, requester, seq, step_run, step, task, node, key, kind, payload,
      answerer, approvers, not_requester, expires_at)
    select _tenant, x.id, _thread, _run, r.graph, th.owner, case when n > 0 then th.last_seq + n else th.head end, next.run, next.step, x.task, x.node, x.key, x.kind,
      x.payload, x.answerer, case when x.approvers is not null then array(select json_array_elements_text(x.approvers)) end, x."notRequester",
      clock_timestamp() + x."expiresInMs" * interval '1 millisecond'
    from json_to_recordset(_questions) as x (id text, task int, node text, key text, kind text, payload text, answerer text,
      approvers json, "notRequester" boolean, "expiresInMs" bigint)
    on conflict do nothing returning *
  )
  select coalesce(sum(recollect.announce_approval_v1(asked::recollect.approvals)), 0) into announced from asked;
  insert into recollect.outbox (tenant, id, thread, run, graph, topic, payload, owner)
    select _tenant, x.id, _thread, _run, r.graph, x.topic, x.payload, th.owner
    from unnest(_message_ids, _message_topics, _message_payloads, _message_debounces) x (id, topic, payload, debounce)
    where x.debounce is null;
  -- In the place of what was sent under the id before; whoever delivers that just now settles nothing of this.
  insert into recollect.outbox as o (tenant, id, thread, run, graph, topic, payload, owner, due_at)
    select _tenant, x.id, _thread, _run, r.graph, x.topic, x.payload, th.owner, clock_timestamp() + x.debounce * interval '1 millisecond'
    from unnest(_message_ids, _message_topics, _message_payloads, _message_debounces) x (id, topic, payload, debounce)
    where x.debounce is not null
    on conflict (tenant, id) do update set thread = excluded.thread, run = excluded.run, graph = excluded.graph, topic = excluded.topic,
      payload = excluded.payload, owner = excluded.owner, status = 'pending', attempts = 0, due_at = excluded.due_at, token = null, error = null,
      created_at = excluded.created_at, settled_at = null;
  update recollect.threads t set
    head = case when n > 0 then th.last_seq + n else t.head end,
    head_hash = case when n > 0 then _hashes[n] else t.head_hash end,
    last_seq = th.last_seq + n,
    lease_run = case when _status = 'running' then t.lease_run end,
    lease_token = case when _status = 'running' then t.lease_token end,
    lease_until = case when _status = 'running' then clock_timestamp() + _lease_ms * interval '1 millisecond' end,
    expires_at = clock_timestamp() + t.ttl_ms * interval '1 millisecond',
    status = case _status when 'running' then 'busy' when 'error' then 'error' when 'waiting' then 'interrupted' else 'idle' end,
    updated_at = clock_timestamp()
    where t.tenant = _tenant and t.thread = _thread returning t.* into th;
  update recollect.runs x set step = _step, status = _status, error = _error, attempts = 0, last_commit = commit_id,
    answer = th.head, input = case when n > 0 then null else x.input end, carried = case when n > 0 then null else x.carried end, updated_at = clock_timestamp()
    where x.tenant = _tenant and x.run = _run returning x.* into r;
  announced := announced + recollect.announce_run_v1(r);
  -- A question may have been answered while its superstep was at work: nobody else would see that the run is due.
  if _status = 'waiting' then
    perform recollect.resume_v1(r, a.task) from recollect.approvals a where a.tenant = _tenant and a.thread = _thread
      and a.step_run = next.run and a.step = next.step and (a.status = 'expired' or a.status = 'answered' and a.used_at is null)
      and not exists (select 1 from recollect.writes w where w.tenant = _tenant and w.thread = _thread and w.run = next.run
        and w.step = next.step and w.task = a.task and w.key = '');
  end if;
  return json_strip_nulls(json_build_object('outcome', 'applied', 'head', th.head, 'status', _status,
    'announced', nullif(announced, 0)));
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.commit_step_v1(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _head bigint, _hash text, _step int,
  _steps int[], _hashes text[], _deltas text[], _status text, _error text, _lease_ms int
) returns json language sql as $$
  select recollect.commit_step_v2(_tenant, _thread, _run, _epoch, _token, _head, _hash, _step,
    _steps, _hashes, _deltas, '{}', _status, _error, _lease_ms, '{}', '{}', '{}', '{}', '{}', '{}', '[]')
$$;

-- Answers a question: once, by whoever may, before it expires; in the transaction that makes its run due. `_token`: of this attempt,
-- so that one whose acknowledgement was lost is told the same again; of a webhook, its id, which is remembered. `_owner`: whose
-- threads the answerer may see; null: all of the tenant. `_approver`: whether they may answer what asks for an approver.
-- outcome: accepted | repeated | invalid | unknown | early | forbidden | answered | expired | cancelled
create or replace function recollect.answer_approval_v1(
  _tenant text, _id text, _owner text, _by text, _approver boolean, _via text, _answer text, _token text, _webhook boolean,
  _run text
) returns json language plpgsql as $$
declare
  a recollect.approvals;
  r recollect.runs;
  told text;
begin
  if _webhook then
    select x.* into a from recollect.webhooks_seen w join recollect.approvals x on x.tenant = w.tenant and x.id = w.approval
      where w.tenant = _tenant and w.id = _token;
    if found then return json_build_object('outcome', 'repeated', 'approval', recollect.approval_json_v1(a)); end if;
  end if;
  select * into a from recollect.approvals x where x.tenant = _tenant and x.id = _id;
  if a.id is null or a.requester is distinct from coalesce(_owner, a.requester) then
    -- Of a run that is still at work the question may be on its way.
    perform 1 from recollect.runs x where x.tenant = _tenant and x.run = _run and x.status in ('queued', 'running')
      and exists (select 1 from recollect.threads t where t.tenant = _tenant and t.thread = x.thread and t.owner = coalesce(_owner, t.owner));
    return json_build_object('outcome', case when found then 'early' else 'unknown' end);
  end if;
  perform 1 from recollect.threads t where t.tenant = _tenant and t.thread = a.thread for update;
  select * into a from recollect.approvals x where x.tenant = _tenant and x.id = _id;
  -- Deleted meanwhile.
  if a.id is null then return json_build_object('outcome', 'unknown'); end if;
  select * into r from recollect.runs x where x.tenant = _tenant and x.run = a.run;
  told := case
    when a.answer_token = _token then 'repeated'
    when a.answerer = 'approver' and not _approver or _by <> all(a.approvers) or a.not_requester and _by = a.requester then 'forbidden'
    when a.status = 'pending' and r.status not in ('waiting', 'queued', 'running') then 'cancelled'
    when a.status = 'pending' and a.expires_at < clock_timestamp() then 'expired'
    when a.status = 'pending' and _answer is null then 'invalid'
    when a.status = 'pending' then 'accepted'
    else a.status end;
  if told = 'accepted' and _webhook then
    insert into recollect.webhooks_seen (tenant, id, approval) values (_tenant, _token, _id) on conflict do nothing;
    -- It has answered a question of another thread meanwhile.
    if not found then
      select x.* into a from recollect.webhooks_seen w join recollect.approvals x on x.tenant = w.tenant and x.id = w.approval
        where w.tenant = _tenant and w.id = _token;
      return json_build_object('outcome', 'repeated', 'approval', recollect.approval_json_v1(a));
    end if;
  end if;
  if told = 'accepted' then
    update recollect.approvals x set status = 'answered', answer = _answer, answered_by = _by, answered_via = _via,
      answer_token = _token, answered_at = clock_timestamp() where x.tenant = _tenant and x.id = _id returning x.* into a;
    perform recollect.resume_v1(r, a.task);
  end if;
  if told <> 'repeated' then
    insert into recollect.approval_attempts (tenant, approval, by, via, outcome) values (_tenant, _id, _by, _via, told);
  end if;
  return json_build_object('outcome', told, 'approval', recollect.approval_json_v1(a));
end $$;

-- A run is due again once a task of it has no open question left.
create or replace function recollect.resume_v1(r recollect.runs, _task int) returns void language plpgsql as $$
begin
  if r.status <> 'waiting' or exists (select 1 from recollect.approvals a where a.tenant = r.tenant and a.thread = r.thread
    and a.run = r.run and a.task = _task and a.status = 'pending') then return; end if;
  update recollect.runs x set status = 'queued', asks_at = '-infinity', updated_at = clock_timestamp()
    where x.tenant = r.tenant and x.run = r.run;
  update recollect.threads t set status = 'busy', updated_at = clock_timestamp() where t.tenant = r.tenant and t.thread = r.thread;
end $$;

-- Ends questions whose time is over; their runs go on without an answer. Gives how many.
create or replace function recollect.expire_approvals_v1(_limit int) returns int language plpgsql as $$
declare
  a recollect.approvals;
  r recollect.runs;
  n int := 0;
begin
  for a in select * from recollect.approvals x where x.status = 'pending' and x.expires_at < clock_timestamp()
      order by x.expires_at limit _limit loop
    perform 1 from recollect.threads t where t.tenant = a.tenant and t.thread = a.thread for update;
    update recollect.approvals x set status = 'expired' where x.tenant = a.tenant and x.id = a.id and x.status = 'pending';
    if found then
      n := n + 1;
      select * into r from recollect.runs x where x.tenant = a.tenant and x.run = a.run;
      perform recollect.resume_v1(r, a.task);
    end if;
  end loop;
  return n;
end $$;

-- An approval as the Worker reads it.
create or replace function recollect.approval_json_v1(a recollect.approvals) returns json language sql stable as $$
  select json_build_object('id', a.id, 'thread', a.thread, 'run', a.run, 'graph', a.graph, 'requester', a.requester, 'seq', a.seq,
    'task', a.task, 'node', a.node, 'kind', a.kind, 'payload', a.payload, 'answerer', a.answerer, 'approvers', a.approvers,
    'notRequester', a.not_requester,
    'status', case when a.status = 'pending' and a.expires_at < clock_timestamp() then 'expired' else a.status end,
    'answer', a.answer, 'answeredBy', a.answered_by, 'answeredVia', a.answered_via, 'answeredAt', a.answered_at,
    'expiresAt', a.expires_at, 'createdAt', a.created_at)
$$;

-- Keeps what a part of a task gave, before its superstep is committed. The first value kept is the value.
-- outcome: saved | fenced
create or replace function recollect.save_task_v1(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _task int, _key text, _value text
) returns json language plpgsql as $$
declare
  th recollect.threads;
  r recollect.runs;
  cp recollect.checkpoints;
  next record;
  kept text;
begin
  -- Shared with its siblings; a commit or another's claim waits.
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for share;
  if th.thread is null or th.epoch <> _epoch or th.lease_run is distinct from _run or th.lease_token is distinct from _token then
    return json_build_object('outcome', 'fenced');
  end if;
  select * into r from recollect.runs x where x.tenant = _tenant and x.run = _run;
  select * into cp from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = th.head;
  next := recollect.next_superstep_v1(th, r, cp);
  insert into recollect.writes (tenant, thread, run, step, task, key, value)
    values (_tenant, _thread, next.run, next.step, _task, _key, _value) on conflict do nothing;
  select w.value into kept from recollect.writes w where w.tenant = _tenant and w.thread = _thread
    and w.run = next.run and w.step = next.step and w.task = _task and w.key = _key;
  return json_build_object('outcome', 'saved', 'value', kept);
end $$;

-- held | fenced | cancelled
create or replace function recollect.renew_lease_v2(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _lease_ms int
) returns text language plpgsql as $$
begin
  update recollect.threads t set lease_until = clock_timestamp() + _lease_ms * interval '1 millisecond'
    where t.tenant = _tenant and t.thread = _thread and t.epoch = _epoch and t.lease_run = _run and t.lease_token = _token;
  if found then return 'held'; end if;
  perform 1 from recollect.runs r where r.tenant = _tenant and r.run = _run and (r.cancel_asked or r.status = 'cancelled');
  return case when found then 'cancelled' else 'fenced' end;
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.renew_lease_v1(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _lease_ms int
) returns boolean language sql as $$
  select recollect.renew_lease_v2(_tenant, _thread, _run, _epoch, _token, _lease_ms) = 'held'
$$;

-- A worker that stops gives the thread back at once, with what tasks of its superstep have finished. Its attempt does not count.
create or replace function recollect.release_turn_v2(
  _tenant text, _thread text, _run text, _epoch bigint, _token text, _saved_tasks int[], _saved_values text[]
) returns boolean language plpgsql as $$
declare
  th recollect.threads;
  r recollect.runs;
  cp recollect.checkpoints;
  next record;
begin
  update recollect.threads t set lease_run = null, lease_token = null, lease_until = null
    where t.tenant = _tenant and t.thread = _thread and t.epoch = _epoch and t.lease_run = _run and t.lease_token = _token
    returning t.* into th;
  if not found then return false; end if;
  update recollect.runs x set attempts = greatest(x.attempts - 1, 0) where x.tenant = _tenant and x.run = _run returning x.* into r;
  select * into cp from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = th.head;
  next := recollect.next_superstep_v1(th, r, cp);
  insert into recollect.writes (tenant, thread, run, step, task, key, value)
    select _tenant, _thread, next.run, next.step, x.task, '', x.value from unnest(_saved_tasks, _saved_values) x (task, value)
    on conflict do nothing;
  return true;
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.release_turn_v1(
  _tenant text, _thread text, _run text, _epoch bigint, _token text
) returns boolean language sql as $$
  select recollect.release_turn_v2(_tenant, _thread, _run, _epoch, _token, '{}', '{}')
$$;

-- A caller was told that its turn could not be begun: whatever of the claim has landed is taken back. Its run, if the claim made it,
-- leaves no row, as if it had been refused; another's run stays due.
create or replace function recollect.abandon_turn_v1(_tenant text, _thread text, _token text, _run text)
returns boolean language plpgsql as $$
declare
  th recollect.threads;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread and t.lease_token = _token for update;
  if th.thread is null then return false; end if;
  update recollect.threads t set lease_run = null, lease_token = null, lease_until = null, epoch = t.epoch + 1,
    status = case when th.lease_run = _run then 'idle' else t.status end where t.tenant = _tenant and t.thread = _thread;
  -- A fork had moved the head.
  update recollect.threads t set head = r.base, head_hash = coalesce((select c.hash from recollect.checkpoints c
      where c.tenant = _tenant and c.thread = _thread and c.seq = r.base), '') from recollect.runs r
    where t.tenant = _tenant and t.thread = _thread and r.tenant = _tenant and r.run = th.lease_run and r.run = _run
      and r.last_commit is null and r.fork_from is not null;
  delete from recollect.runs r where r.tenant = _tenant and r.run = th.lease_run and r.run = _run and r.last_commit is null;
  if not found then
    update recollect.runs r set attempts = greatest(r.attempts - 1, 0) where r.tenant = _tenant and r.run = th.lease_run;
  end if;
  return true;
end $$;

-- Attaches the state to a checkpoint. The checkpoints between it and the head were written before they could know of the
-- snapshot: their sizes are set right, so that the next turn does not think one is due. Those behind a later snapshot, which
-- came first, count from that one.
create or replace function recollect.put_snapshot_v1(_tenant text, _thread text, _seq bigint, _hash text, _snapshot text)
returns boolean language plpgsql as $$
declare
  th recollect.threads;
  cp recollect.checkpoints;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  update recollect.checkpoints c set snapshot = _snapshot
    where c.tenant = _tenant and c.thread = _thread and c.seq = _seq and c.hash = _hash and c.snapshot is null
    returning c.* into cp;
  if cp.seq is null then return false; end if;
  with recursive above as (
    select c.seq, c.parent, c.snapshot is not null as based from recollect.checkpoints c
    where c.tenant = _tenant and c.thread = _thread and c.seq = th.head and c.seq > _seq
    union all
    select p.* from above cross join lateral (
      select c.seq, c.parent, c.snapshot is not null from recollect.checkpoints c
      where c.tenant = _tenant and c.thread = _thread and c.seq = above.parent limit 1
    ) p where above.parent > _seq
  )
  update recollect.checkpoints c set chain_bytes = c.chain_bytes - cp.chain_bytes, base_bytes = octet_length(_snapshot)
    from above where c.tenant = _tenant and c.thread = _thread and c.seq = above.seq
    and exists (select 1 from above a where a.parent = _seq)
    and c.seq <= coalesce((select min(a.seq) from above a where a.based), c.seq);
  return true;
end $$;

-- A thread as the Worker reads it. Busy until its run has ended, also while no worker holds it.
create or replace function recollect.thread_json_v1(t recollect.threads) returns json language sql stable as $$
  select json_build_object('thread', t.thread, 'owner', t.owner, 'metadata', t.metadata, 'graph', t.graph,
    'status', t.status, 'head', t.head, 'createdAt', t.created_at, 'updatedAt', t.updated_at)
$$;

create or replace function recollect.create_thread_v2(_tenant text, _thread text, _owner text, _metadata jsonb, _ttl_ms bigint)
returns json language plpgsql as $$
declare
  th recollect.threads;
begin
  insert into recollect.threads (tenant, thread, owner, metadata, ttl_ms, expires_at)
    values (_tenant, _thread, _owner, _metadata, _ttl_ms, clock_timestamp() + _ttl_ms * interval '1 millisecond')
    on conflict do nothing returning * into th;
  if th.thread is not null then return json_build_object('outcome', 'created', 'thread', recollect.thread_json_v1(th)); end if;
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread;
  if th.owner <> _owner then return json_build_object('outcome', 'taken'); end if;
  return json_build_object('outcome', 'exists', 'thread', recollect.thread_json_v1(th));
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.create_thread_v1(_tenant text, _thread text, _owner text, _metadata jsonb)
returns json language sql as $$
  select recollect.create_thread_v2(_tenant, _thread, _owner, _metadata, null)
$$;

-- Merges into the metadata; a null removes its key. A time to live, if one is given, counts from now.
create or replace function recollect.patch_thread_v2(_tenant text, _thread text, _owner text, _metadata jsonb, _ttl_ms bigint)
returns json language plpgsql as $$
declare
  th recollect.threads;
begin
  update recollect.threads t set
    metadata = coalesce((select jsonb_object_agg(p.key, p.value) from jsonb_each(t.metadata || _metadata) p where p.value <> 'null'), '{}'),
    ttl_ms = coalesce(_ttl_ms, t.ttl_ms),
    expires_at = coalesce(clock_timestamp() + _ttl_ms * interval '1 millisecond', t.expires_at),
    updated_at = clock_timestamp()
    where t.tenant = _tenant and t.thread = _thread and t.owner = coalesce(_owner, t.owner) returning t.* into th;
  return case when th.thread is not null then recollect.thread_json_v1(th) end;
end $$;

-- For Workers of 0.1, during a deploy.
create or replace function recollect.patch_thread_v1(_tenant text, _thread text, _owner text, _metadata jsonb)
returns json language sql as $$
  select recollect.patch_thread_v2(_tenant, _thread, _owner, _metadata, null)
$$;

-- Every pair of `_metadata` must be in the thread's, equal as JSON.
create or replace function recollect.matching_threads_v1(
  _tenant text, _owner text, _ids text[], _status text, _metadata jsonb
) returns setof recollect.threads language sql stable as $$
  select t.* from recollect.threads t where t.tenant = _tenant
    and (_owner is null or t.owner = _owner) and (_ids is null or t.thread = any(_ids))
    and (_status is null or t.status = _status)
    and not exists (select 1 from jsonb_each(_metadata) p where t.metadata -> p.key is distinct from p.value)
$$;

-- A thread with the same checkpoints, of the same owner. Runs, what they ask and what they send stay with the old one.
-- outcome: created | taken; null: no such thread of this owner
create or replace function recollect.copy_thread_v1(_tenant text, _thread text, _owner text, _copy text)
returns json language plpgsql as $$
declare
  th recollect.threads;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread and t.owner = coalesce(_owner, t.owner)
    for share;
  if th.thread is null then return null; end if;
  insert into recollect.threads (tenant, thread, owner, metadata, graph, head, head_hash, last_seq, ttl_ms, expires_at)
    values (_tenant, _copy, th.owner, th.metadata, th.graph, th.head, th.head_hash, th.last_seq, th.ttl_ms,
      clock_timestamp() + th.ttl_ms * interval '1 millisecond')
    on conflict do nothing returning * into th;
  if th.thread is null then return json_build_object('outcome', 'taken'); end if;
  insert into recollect.checkpoints
      (tenant, thread, seq, parent, run, step, hash, delta, seen, updated, snapshot, chain_bytes, base_bytes, created_at)
    select c.tenant, _copy, c.seq, c.parent, c.run, c.step, c.hash, c.delta, c.seen, c.updated, c.snapshot, c.chain_bytes,
      c.base_bytes, c.created_at
    from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread;
  return json_build_object('outcome', 'created', 'thread', recollect.thread_json_v1(th));
end $$;

-- What is left of a thread that is gone, for a day.
create or replace function recollect.thread_hash_v1(_tenant text, _thread text) returns text language sql immutable as $$
  select encode(sha256(convert_to(json_build_array(_tenant, _thread)::text, 'UTF8')), 'hex')
$$;

-- Whether a run may still remember something: not when its thread was deleted or another worker has taken it over. Until the writing
-- transaction ends no one deletes the thread, so whoever then forgets its person finds what was written. A thread that is in no
-- table of this database was kept elsewhere, and nothing is known of it.
create or replace function recollect.run_holds_v1(_tenant text, _thread text, _token text) returns boolean language plpgsql as $$
declare
  token text;
begin
  select t.lease_token into token from recollect.threads t where t.tenant = _tenant and t.thread = _thread for key share;
  if found then return token is not distinct from _token; end if;
  return not exists (select 1 from recollect.deleted_threads d
    where d.tenant = _tenant and d.thread_hash = recollect.thread_hash_v1(_tenant, _thread));
end $$;

-- A message that is still to be delivered was promised, and outlives its thread until it is settled; a webhook only tells of it.
create or replace function recollect.delete_thread_v1(_tenant text, _thread text, _owner text)
returns boolean language plpgsql as $$
begin
  delete from recollect.threads t where t.tenant = _tenant and t.thread = _thread and t.owner = coalesce(_owner, t.owner);
  if not found then return false; end if;
  insert into recollect.deleted_threads (tenant, thread_hash) values (_tenant, recollect.thread_hash_v1(_tenant, _thread))
    on conflict (tenant, thread_hash) do update set deleted_at = excluded.deleted_at;
  delete from recollect.deleted_threads d where (d.tenant, d.thread_hash) in (select x.tenant, x.thread_hash
    from recollect.deleted_threads x where x.deleted_at < clock_timestamp() - interval '1 day' limit 10 for update skip locked);
  delete from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread;
  delete from recollect.runs r where r.tenant = _tenant and r.thread = _thread;
  delete from recollect.writes w where w.tenant = _tenant and w.thread = _thread;
  delete from recollect.webhooks_seen x using recollect.approvals a
    where a.tenant = _tenant and a.thread = _thread and x.tenant = _tenant and x.approval = a.id;
  delete from recollect.approval_attempts x using recollect.approvals a
    where a.tenant = _tenant and a.thread = _thread and x.tenant = _tenant and x.approval = a.id;
  delete from recollect.approvals a where a.tenant = _tenant and a.thread = _thread;
  delete from recollect.outbox o where o.tenant = _tenant and o.thread = _thread
    and (o.status <> 'pending' or o.endpoint is not null);
  return true;
end $$;

-- Whose time is over: not while a run is due, however long it waits.
create or replace function recollect.expired_v1(t recollect.threads) returns boolean language sql stable as $$
  select t.expires_at < clock_timestamp() and not exists (select 1 from recollect.runs r
    where r.tenant = t.tenant and r.thread = t.thread and r.status in ('queued', 'running', 'waiting'))
$$;

create or replace function recollect.delete_expired_thread_v1(_tenant text, _thread text)
returns boolean language plpgsql as $$
begin
  perform 1 from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  perform 1 from recollect.threads t where t.tenant = _tenant and t.thread = _thread and recollect.expired_v1(t);
  return found and recollect.delete_thread_v1(_tenant, _thread, null);
end $$;

-- Deletes checkpoints that are further than `_keep` from the end of their branch, and behind a snapshot, without which what is left
-- could not be read. Branches end at the head, at a fork's last checkpoint, where a run that is due or waits would be rolled back to,
-- and where one in line is to begin; what a cancelled run left aside is no fork. Gives how many were deleted; null: no such thread of
-- this owner.
create or replace function recollect.prune_thread_v1(_tenant text, _thread text, _owner text, _keep int)
returns int language plpgsql as $$
declare
  th recollect.threads;
  deleted int;
begin
  select * into th from recollect.threads t where t.tenant = _tenant and t.thread = _thread for update;
  if th.thread is null or th.owner is distinct from coalesce(_owner, th.owner) then return null; end if;
  with recursive tips as (
    select th.head as seq
    union
    select coalesce(r.base, r.fork_from) from recollect.runs r
      where r.tenant = _tenant and r.thread = _thread and r.status in ('queued', 'running', 'waiting')
    union
    select c.seq from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread
      and c.seq not in (select p.parent from recollect.checkpoints p where p.tenant = _tenant and p.thread = _thread)
      and not exists (select 1 from recollect.runs r where r.tenant = _tenant and r.run = c.run and r.status = 'cancelled')
  ), kept as (
    select c.seq, c.parent, 1 as n, c.snapshot is not null as based from tips join recollect.checkpoints c
      on c.tenant = _tenant and c.thread = _thread and c.seq = tips.seq
    union all
    select p.seq, p.parent, kept.n + 1, p.based from kept cross join lateral (
      select c.seq, c.parent, c.snapshot is not null as based
      from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq = kept.parent limit 1
    ) p where not (kept.based and kept.n >= _keep)
  )
  delete from recollect.checkpoints c where c.tenant = _tenant and c.thread = _thread and c.seq not in (select k.seq from kept k);
  get diagnostics deleted = row_count;
  return deleted;
end $$;

-- Ends runs of graphs that no Worker here has, after a long time: a thread must not stay busy for ever.
create or replace function recollect.give_up_runs_v1(_graphs text[], _older_than_ms bigint) returns int language sql as $$
  with given_up as (
    update recollect.runs r set status = 'dead', updated_at = clock_timestamp(), error = json_build_object('code', 'graph_unknown',
      'message', format('No Worker has had the graph "%s" since this run was due. Deploy it and send the request again. Its input is kept with the run.', r.graph))::text
    from recollect.threads t where t.tenant = r.tenant and t.thread = r.thread and r.status in ('queued', 'running')
      and r.graph <> all(_graphs) and r.updated_at < clock_timestamp() - _older_than_ms * interval '1 millisecond'
      and coalesce(t.lease_until < clock_timestamp(), true)
    returning r.*
  ), withdrawn as (
    update recollect.approvals a set status = 'cancelled' from given_up g where a.tenant = g.tenant and a.run = g.run
      and (a.status = 'pending' or a.status = 'answered' and a.used_at is null) returning 1
  ), freed as (
    update recollect.threads t set status = 'error' from given_up g where t.tenant = g.tenant and t.thread = g.thread returning 1
  )
  select count(recollect.announce_run_v1(g::recollect.runs))::int from given_up g
$$;

-- Lends messages that are due to whoever delivers them, for `_lease_ms`. `_run`: only those of one run. Webhooks are lent by
-- take_webhooks_v1.
create or replace function recollect.take_messages_v1(
  _graphs text[], _tenant text, _run text, _token text, _limit int, _lease_ms int
) returns setof recollect.outbox language sql as $$
  with due as (
    select o.tenant, o.id from recollect.outbox o where o.status = 'pending' and o.due_at <= clock_timestamp()
      and o.endpoint is null and o.graph = any(_graphs) and (_run is null or (o.tenant = _tenant and o.run = _run))
      order by o.due_at limit _limit for update skip locked
  )
  update recollect.outbox o set attempts = o.attempts + 1, token = _token,
    due_at = clock_timestamp() + _lease_ms * interval '1 millisecond'
    from due where o.tenant = due.tenant and o.id = due.id returning o.*
$$;

-- What became of an attempt: delivered, failed for good, or pending and due again. False: another attempt has begun since.
create or replace function recollect.settle_message_v1(
  _tenant text, _id text, _token text, _status text, _due_in_ms bigint, _error text
) returns boolean language plpgsql as $$
declare
  message recollect.outbox;
begin
  update recollect.outbox o set status = _status, error = _error, token = null,
    due_at = coalesce(clock_timestamp() + _due_in_ms * interval '1 millisecond', o.due_at),
    settled_at = case when _status <> 'pending' then clock_timestamp() end
    where o.tenant = _tenant and o.id = _id and o.token = _token and o.status = 'pending' returning o.* into message;
  if message.id is null then return false; end if;
  delete from recollect.outbox o where o.tenant = _tenant and o.id = _id and o.status <> 'pending'
    and not exists (select 1 from recollect.threads t where t.tenant = _tenant and t.thread = message.thread);
  return true;
end $$;

-- Sealed, newest first.
create or replace function recollect.live_secrets_v1(e recollect.webhook_endpoints) returns json language sql stable as $$
  select json_agg(s ->> 'sealed' order by n) from jsonb_array_elements(e.secrets) with ordinality x (s, n)
    where s ->> 'until' is null or (s ->> 'until')::bigint > extract(epoch from clock_timestamp()) * 1000
$$;

-- An endpoint as the Worker reads it.
create or replace function recollect.endpoint_json_v1(e recollect.webhook_endpoints) returns json language sql stable as $$
  select json_build_object('id', e.id, 'url', e.url, 'events', e.events, 'failures', e.failures, 'disabledAt', e.disabled_at,
    'disabledReason', e.disabled_reason, 'createdAt', e.created_at, 'secrets', recollect.live_secrets_v1(e))
$$;

-- Lends webhooks that are due, those of receivers that answered last time first. `_run`: those of one run, to receivers that did.
-- `_id`: this one. Neither: whatever is due, one of an endpoint at a time, so that a receiver that hangs holds up its own alone.
create or replace function recollect.take_webhooks_v1(_tenant text, _run text, _id text, _token text, _limit int, _lease_ms int)
returns setof json language sql as $$
  with ready as (
    select e.tenant, x.id, e.failures, x.due_at from recollect.webhook_endpoints e cross join lateral (
      select o.id, o.due_at from recollect.outbox o where o.tenant = e.tenant and o.endpoint = e.id and o.status = 'pending'
        and o.due_at <= clock_timestamp() and (_run is null or o.run = _run) and (_id is null or o.id = _id)
        order by o.due_at limit 1
    ) x
    where e.disabled_at is null and (_tenant is null or e.tenant = _tenant) and (_run is null or e.failures = 0)
      and (_run is not null or _id is not null or not exists (select 1 from recollect.outbox o where o.tenant = e.tenant
        and o.endpoint = e.id and o.status = 'pending' and o.token is not null and o.due_at > clock_timestamp()))
  ), due as (
    select o.tenant, o.id from ready r join recollect.outbox o on o.tenant = r.tenant and o.id = r.id
      where o.status = 'pending' and o.due_at <= clock_timestamp()
      order by r.failures > 0, r.due_at limit _limit for update of o skip locked
  ), lent as (
    update recollect.outbox o set attempts = o.attempts + 1, token = _token,
      due_at = clock_timestamp() + _lease_ms * interval '1 millisecond'
      from due where o.tenant = due.tenant and o.id = due.id returning o.*
  )
  select json_build_object('tenant', o.tenant, 'id', o.id, 'thread', o.thread, 'event', o.topic, 'data', o.payload,
      'attempt', o.attempts, 'createdAt', o.created_at, 'endpoint', e.id, 'url', e.url, 'secrets', recollect.live_secrets_v1(e))
    from lent o join recollect.webhook_endpoints e on e.tenant = o.tenant and e.id = o.endpoint
$$;

-- What became of an attempt to deliver a webhook, for the outbox, the log and the endpoint. `_disable`: its receiver wants no more.
-- False: another attempt has begun since, or it is wanted no more.
create or replace function recollect.settle_webhook_v1(
  _tenant text, _id text, _token text, _status text, _due_in_ms bigint, _error text,
  _delivery text, _http_status int, _duration_ms int, _disable boolean
) returns boolean language plpgsql as $$
declare
  message recollect.outbox;
begin
  update recollect.outbox o set status = _status, error = _error, token = null,
    due_at = coalesce(clock_timestamp() + _due_in_ms * interval '1 millisecond', o.due_at),
    settled_at = case when _status <> 'pending' then clock_timestamp() end
    where o.tenant = _tenant and o.id = _id and o.token = _token and o.status = 'pending' returning o.* into message;
  if message.id is null then return false; end if;
  insert into recollect.deliveries (tenant, id, endpoint, webhook, event, attempt, outcome, status, duration_ms, error)
    values (_tenant, _delivery, message.endpoint, _id, message.topic, message.attempts,
      case _status when 'pending' then 'postponed' else _status end, _http_status, _duration_ms, _error);
  update recollect.webhook_endpoints e set failures = case when _status = 'delivered' then 0 else e.failures + 1 end
    where e.tenant = _tenant and e.id = message.endpoint;
  if _disable then perform recollect.disable_endpoint_v1(_tenant, message.endpoint, _error); end if;
  return true;
end $$;

-- An endpoint that wants no more, and whatever waits for it.
create or replace function recollect.disable_endpoint_v1(_tenant text, _id text, _reason text) returns void language sql as $$
  update recollect.outbox o set status = 'failed', error = 'The endpoint is disabled.', token = null, settled_at = clock_timestamp()
    where o.tenant = _tenant and o.endpoint = _id and o.status = 'pending';
  update recollect.webhook_endpoints e set disabled_at = clock_timestamp(), disabled_reason = _reason
    where e.tenant = _tenant and e.id = _id and e.disabled_at is null
$$;

-- Sends again what was sent, under the same id: now, and if need be by the whole schedule. What is still to be sent is due now.
-- outcome: due | disabled | unknown
create or replace function recollect.redeliver_v1(_tenant text, _endpoint text, _delivery text) returns json language plpgsql as $$
declare
  e recollect.webhook_endpoints;
  message text;
begin
  select * into e from recollect.webhook_endpoints x where x.tenant = _tenant and x.id = _endpoint;
  select o.id into message from recollect.deliveries d join recollect.outbox o on o.tenant = d.tenant and o.id = d.webhook
    where d.tenant = _tenant and d.endpoint = _endpoint and d.id = _delivery;
  if message is null then return json_build_object('outcome', 'unknown'); end if;
  if e.disabled_at is not null then return json_build_object('outcome', 'disabled'); end if;
  -- One that is on its way just now comes to its own end.
  update recollect.outbox o set status = 'pending', attempts = case when o.status = 'pending' then o.attempts else 0 end,
    due_at = clock_timestamp(), settled_at = null, error = null
    where o.tenant = _tenant and o.id = message and (o.token is null or o.due_at <= clock_timestamp());
  return json_build_object('outcome', 'due', 'webhook', message);
end $$;

-- Null: the tenant has `_most` of them already.
create or replace function recollect.create_endpoint_v1(
  _tenant text, _id text, _url text, _events text[], _sealed text, _most int
) returns json language sql as $$
  insert into recollect.webhook_endpoints as e (tenant, id, url, events, secrets)
    select _tenant, _id, _url, _events, jsonb_build_array(jsonb_build_object('sealed', _sealed, 'until', null))
    where (select count(*) from recollect.webhook_endpoints x where x.tenant = _tenant) < _most
    on conflict do nothing returning recollect.endpoint_json_v1(e)
$$;

-- `_disabled`: null leaves it as it is. Enabled again, it is trusted again.
create or replace function recollect.patch_endpoint_v1(_tenant text, _id text, _url text, _events text[], _disabled boolean)
returns json language plpgsql as $$
declare
  e recollect.webhook_endpoints;
begin
  if _disabled then perform recollect.disable_endpoint_v1(_tenant, _id, 'by an operator'); end if;
  update recollect.webhook_endpoints x set url = coalesce(_url, x.url), events = coalesce(_events, x.events),
    disabled_at = case when not _disabled then null else x.disabled_at end,
    disabled_reason = case when not _disabled then null else x.disabled_reason end,
    failures = case when not _disabled or _url is not null then 0 else x.failures end
    where x.tenant = _tenant and x.id = _id returning x.* into e;
  return case when e.id is not null then recollect.endpoint_json_v1(e) end;
end $$;

-- With all that waits for it and all that is known of it.
create or replace function recollect.delete_endpoint_v1(_tenant text, _id text) returns boolean language plpgsql as $$
begin
  delete from recollect.webhook_endpoints e where e.tenant = _tenant and e.id = _id;
  if not found then return false; end if;
  delete from recollect.outbox o where o.tenant = _tenant and o.endpoint = _id;
  delete from recollect.deliveries d where d.tenant = _tenant and d.endpoint = _id;
  return true;
end $$;

-- A new secret; those before it are good for `_keep_ms` more. No more than three at once.
create or replace function recollect.rotate_endpoint_v1(_tenant text, _id text, _sealed text, _keep_ms bigint)
returns json language sql as $$
  update recollect.webhook_endpoints e set secrets = jsonb_build_array(jsonb_build_object('sealed', _sealed, 'until', null)) ||
    coalesce((select jsonb_agg(jsonb_build_object('sealed', s ->> 'sealed', 'until', least((s ->> 'until')::bigint,
        (extract(epoch from clock_timestamp()) * 1000)::bigint + _keep_ms)) order by n)
      from jsonb_array_elements(e.secrets) with ordinality x (s, n) where n <= 2), '[]')
    where e.tenant = _tenant and e.id = _id returning recollect.endpoint_json_v1(e)
$$;

-- Null: the tenant has `_most` of them already.
create or replace function recollect.create_webhook_key_v1(_tenant text, _id text, _sealed text, _most int)
returns json language sql as $$
  insert into recollect.webhook_keys as k (tenant, id, sealed) select _tenant, _id, _sealed
    where (select count(*) from recollect.webhook_keys x where x.tenant = _tenant) < _most
    on conflict do nothing returning json_build_object('id', k.id, 'sealed', k.sealed, 'createdAt', k.created_at)
$$;

-- An item as the Worker reads it.
create or replace function recollect.item_json_v1(i recollect.items) returns json language sql stable as $$
  select json_build_object('id', i.id, 'path', i.path, 'key', i.key, 'value', i.value, 'text', i.text, 'tags', i.tags,
    'source', i.source, 'author', i.author, 'version', i.version, 'ttlMs', i.ttl_ms, 'expiresAt', i.expires_at,
    'createdAt', i.created_at, 'updatedAt', i.updated_at)
$$;

-- Whether a read is worth a write of its time to live: when a tenth of it, at most a day, has passed.
create or replace function recollect.item_stale_v1(i recollect.items) returns boolean language sql stable as $$
  select i.expires_at < clock_timestamp() + (i.ttl_ms - least(i.ttl_ms / 10, 86400000)) * interval '1 millisecond'
$$;

-- Says that an item has changed or is gone; one message an item, however often. Whoever wrote it tells the index at once; this
-- comes when its queries see what it was told.
create or replace function recollect.send_index_message_v1(_tenant text, _id text, _space text) returns void language sql as $$
  insert into recollect.outbox as o (tenant, id, thread, run, graph, topic, payload, due_at)
    values (_tenant, 'index:' || _id, '', '', '$store', 'index', json_build_object('id', _id, 'space', _space),
      clock_timestamp() + interval '10 seconds')
    on conflict (tenant, id) do update set status = 'pending', attempts = 0, due_at = excluded.due_at, token = null, error = null
$$;

create or replace function recollect.remove_item_v1(i recollect.items, _indexed boolean) returns void language plpgsql as $$
begin
  delete from recollect.items x where x.tenant = i.tenant and x.id = i.id;
  delete from recollect.item_history h where h.tenant = i.tenant and h.id = i.id;
  if _indexed and i.text <> '' then perform recollect.send_index_message_v1(i.tenant, i.id, i.space); end if;
end $$;

-- The last writer wins, unless a version is expected (0: none). The same written again is no other version: it may be a write whose
-- acknowledgement was lost. `_keeps_ttl`: an item that is there lives as long as before. `_thread`, `_token`: the claim of the run that
-- writes. outcome: saved | outdated | fenced
create or replace function recollect.store_put_v1(
  _tenant text, _id text, _space text, _path text, _key text, _value text, _doc jsonb, _text text, _text_before text,
  _text_after text, _tags text[], _source text, _author text, _keeps_ttl boolean, _ttl_ms bigint, _expected bigint, _indexed boolean,
  _thread text default null, _token text default null
) returns json language plpgsql as $$
declare
  old recollect.items;
  at timestamptz;
  ttl bigint;
  found_by_index boolean := _indexed and _text <> '';
  ahead bigint := case when found_by_index then 0 else 1 end;
begin
  if _token is not null and not recollect.run_holds_v1(_tenant, _thread, _token) then
    return json_build_object('outcome', 'fenced');
  end if;
  loop
    select * into old from recollect.items i where i.tenant = _tenant and i.id = _id for update;
    at := date_trunc('milliseconds', clock_timestamp());
    if old.expires_at < clock_timestamp() then
      perform recollect.remove_item_v1(old, _indexed);
      old := null;
    end if;
    ttl := case when _keeps_ttl and old.id is not null then old.ttl_ms else _ttl_ms end;
    if old.id is null then
      if _expected <> 0 then return json_build_object('outcome', 'outdated', 'id', _id, 'version', 0); end if;
      insert into recollect.items (tenant, id, space, path, key, value, doc, text, text_before, text_after, tags, source, author, version, indexed_version,
          settled_version, ttl_ms, expires_at, created_at, updated_at)
        values (_tenant, _id, _space, _path, _key, _value, _doc, _text, _text_before, _text_after, _tags, _source, _author, 1,
          ahead, ahead, ttl, at + ttl * interval '1 millisecond', at, at)
        on conflict do nothing;
      exit when found;
    else
      if (old.value, old.text, old.tags) = (_value, _text, _tags) and old.source is not distinct from _source
          and old.author is not distinct from _author and old.text_before is not distinct from _text_before
          and old.text_after is not distinct from _text_after and coalesce(_expected in (old.version, old.version - 1), true) then
        update recollect.items i set ttl_ms = ttl, expires_at = at + ttl * interval '1 millisecond'
          where i.tenant = _tenant and i.id = _id;
        return json_build_object('outcome', 'saved', 'id', _id, 'version', old.version);
      end if;
      if _expected <> old.version then
        return json_build_object('outcome', 'outdated', 'id', _id, 'version', old.version);
      end if;
      insert into recollect.item_history (tenant, id, version, value, tags, source, author, at)
        values (_tenant, _id, old.version, old.value, old.tags, old.source, old.author, old.updated_at);
      delete from recollect.item_history h where h.tenant = _tenant and h.id = _id and h.version <= old.version - 99;
      update recollect.items i set value = _value, doc = _doc, text = _text, text_before = _text_before, text_after = _text_after,
        tags = _tags, source = _source, author = _author,
        version = old.version + 1, indexed_version = case ahead when 0 then old.indexed_version else old.version + 1 end,
        settled_version = case ahead when 0 then old.settled_version else old.version + 1 end, ttl_ms = ttl,
        expires_at = at + ttl * interval '1 millisecond', updated_at = greatest(at, old.updated_at)
        where i.tenant = _tenant and i.id = _id;
      exit;
    end if;
  end loop;
  if found_by_index or _indexed and old.text <> '' then perform recollect.send_index_message_v1(_tenant, _id, _space); end if;
  return json_build_object('outcome', 'saved', 'id', _id, 'version', coalesce(old.version, 0) + 1);
end $$;

create or replace function recollect.store_get_v1(_tenant text, _id text, _refresh boolean) returns json language plpgsql as $$
declare
  it recollect.items;
begin
  select * into it from recollect.items i where i.tenant = _tenant and i.id = _id
    and coalesce(i.expires_at >= clock_timestamp(), true);
  if it.id is null then return null; end if;
  if _refresh and recollect.item_stale_v1(it) then
    -- What another is writing is refreshed by that: a read waits for nobody.
    update recollect.items i set expires_at = clock_timestamp() + i.ttl_ms * interval '1 millisecond'
      from (select x.id from recollect.items x where x.tenant = _tenant and x.id = _id for update skip locked) unlocked
      where i.tenant = _tenant and i.id = unlocked.id;
  end if;
  return recollect.item_json_v1(it);
end $$;

create or replace function recollect.store_delete_v1(_tenant text, _id text, _expected bigint, _indexed boolean)
returns boolean language plpgsql as $$
declare
  old recollect.items;
begin
  select * into old from recollect.items i where i.tenant = _tenant and i.id = _id for update;
  if old.id is null or old.version <> _expected then return false; end if;
  perform recollect.remove_item_v1(old, _indexed);
  return coalesce(old.expires_at >= clock_timestamp(), true);
end $$;

-- Operations, each with the parameters of its function, in order and in one transaction. Null: `_strict`, and a version does not fit.
create or replace function recollect.store_batch_v1(_tenant text, _operations json, _strict boolean, _indexed boolean)
returns json language plpgsql as $$
declare
  o json;
  results json[] := '{}';
begin
  -- In one order for all batches, so that two of them never wait for each other: by name, for an item may not be there yet.
  perform pg_advisory_xact_lock(hashtextextended(_tenant || x.id, 0)) from (
    select distinct e ->> 'id' as id from json_array_elements(_operations) e where e ->> 'op' <> 'get' order by 1
  ) x;
  perform 1 from recollect.items i where i.tenant = _tenant
    and i.id in (select x ->> 'id' from json_array_elements(_operations) x where x ->> 'op' <> 'get') order by i.id for update;
  if _strict and exists (select 1 from json_array_elements(_operations) x left join recollect.items i on i.tenant = _tenant
      and i.id = x ->> 'id' and coalesce(i.expires_at >= clock_timestamp(), true)
      where (x ->> 'expected')::bigint <> coalesce(i.version, 0)) then
    return null;
  end if;
  for o in select x from json_array_elements(_operations) x loop
    results := results || case o ->> 'op'
      when 'put' then recollect.store_put_v1(_tenant, o ->> 'id', o ->> 'space', o ->> 'path', o ->> 'key', o ->> 'value',
        (o ->> 'doc')::jsonb, o ->> 'text', o ->> 'textBefore', o ->> 'textAfter', array(select json_array_elements_text(o -> 'tags')), o ->> 'source', o ->> 'author',
        (o ->> 'keepsTtl')::boolean, (o ->> 'ttlMs')::bigint, (o ->> 'expected')::bigint, _indexed)
      when 'get' then coalesce(recollect.store_get_v1(_tenant, o ->> 'id', (o ->> 'refresh')::boolean), 'null')
      else to_json(recollect.store_delete_v1(_tenant, o ->> 'id', (o ->> 'expected')::bigint, _indexed)) end;
  end loop;
  return array_to_json(results);
end $$;

-- Versions, newest first; null: there is no such item.
create or replace function recollect.store_history_v1(_tenant text, _id text, _before bigint, _limit int)
returns json language sql stable as $$
  select json_agg(json_build_object('version', v.version, 'value', v.value, 'tags', v.tags, 'source', v.source,
      'author', v.author, 'at', v.at) order by v.version desc)
  from (
    select * from (
      select i.version, i.value, i.tags, i.source, i.author, i.updated_at as at from recollect.items i
        where i.tenant = _tenant and i.id = _id
      union all
      select h.version, h.value, h.tags, h.source, h.author, h.at from recollect.item_history h
        where h.tenant = _tenant and h.id = _id
    ) x where coalesce(x.version < _before, true) and exists (select 1 from recollect.items i where i.tenant = _tenant
      and i.id = _id and coalesce(i.expires_at >= clock_timestamp(), true))
    order by x.version desc limit _limit
  ) v
$$;

-- Paths in a range, each once, cut off at a depth. `_pattern`: a regular expression that they match.
create or replace function recollect.store_namespaces_v1(
  _tenant text, _from text, _before text, _pattern text, _depth int, _limit int, _offset int
) returns json language sql stable as $$
  select json_agg(p.path order by p.path) from (
    select distinct (case when cardinality(string_to_array(i.path, chr(31))) - 1 > _depth
        then array_to_string((string_to_array(i.path, chr(31)))[1:_depth], chr(31)) || chr(31)
        else i.path end) collate "C" as path
    from recollect.items i where i.tenant = _tenant and i.path >= _from and i.path < _before
      and coalesce(i.expires_at >= clock_timestamp(), true)
      and (_pattern = '' or i.path ~ _pattern)
    order by 1 limit _limit offset _offset
  ) p
$$;

-- What a question asks for: any of its words, without those that say nothing unless there are no others; null: it has none.
create or replace function recollect.query_words_v1(_query text) returns tsquery language plpgsql stable as $$
begin
  return (
    with asked as (
      select w.word, tsvector_to_array(to_tsvector('english', w.word)) as stems
      from unnest(tsvector_to_array(to_tsvector('simple', recollect.spelled_v1(_query)))) w (word)
    ), telling as (
      select unnest(array_append(a.stems, a.word)) as word from asked a where a.stems <> '{}'
    )
    select string_agg(distinct '''' || replace(replace(w.word, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
    from (select t.word from telling t union all select a.word from asked a where not exists (select 1 from telling)) w
  );
end $$;

-- What the index has to be told of an item, and whether it has been; null: it is gone, or has nothing to be found by.
create or replace function recollect.item_to_index_v1(_tenant text, _id text) returns json language sql stable as $$
  select json_build_object('item', recollect.item_json_v1(i), 'before', i.text_before, 'after', i.text_after,
    'told', i.indexed_version = i.version)
  from recollect.items i where i.tenant = _tenant and i.id = _id and i.text <> '' and coalesce(i.expires_at >= clock_timestamp(), true)
$$;

-- The index was told this version. False: it has changed or gone meanwhile, and the index must be told again.
create or replace function recollect.item_indexed_v1(_tenant text, _id text, _version bigint, _updated_at timestamptz)
returns boolean language plpgsql as $$
begin
  update recollect.items i set indexed_version = i.version
    where i.tenant = _tenant and i.id = _id and i.version = _version and i.updated_at = _updated_at;
  return found;
end $$;

-- Queries of the index see what it was told long enough ago.
create or replace function recollect.item_settled_v1(_tenant text, _id text, _version bigint) returns boolean language plpgsql as $$
begin
  update recollect.items i set settled_version = i.version
    where i.tenant = _tenant and i.id = _id and i.version = _version and i.indexed_version = _version;
  return found;
end $$;

-- Deletes items whose time is over. Gives how many.
create or replace function recollect.expire_items_v1(_limit int, _indexed boolean) returns int language plpgsql as $$
declare
  old recollect.items;
  n int := 0;
begin
  for old in select * from recollect.items i where i.expires_at < clock_timestamp() order by i.expires_at limit _limit
      for update skip locked loop
    perform recollect.remove_item_v1(old, _indexed);
    n := n + 1;
  end loop;
  return n;
end $$;

insert into recollect.schema_version (version) values (1), (2) on conflict do nothing;
