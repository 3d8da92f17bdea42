-- Threads as version 2 of the schema held them: as those of version 1, and a failed run with a finished sibling and a part of a
-- task, a run that was asked to be cancelled, a message in the outbox, and a thread with a time to live.
insert into recollect.threads (tenant, thread, owner, metadata, graph, head, head_hash, last_seq, last_ticket, epoch, lease_run, lease_token, lease_until, status, created_at, updated_at, ttl_ms, expires_at) values
  ('acme', 't-1', 'ada', '{"topic": "billing", "odd": "\ue0000000"}', 'default', 4, 'h4', 4, 3, 3, null, null, null, 'error', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', null, null),
  ('acme', 't-2', 'bob', '{}', 'default', 0, '', 0, 1, 1, 'run-9', 'token', '2026-01-01T00:01:00Z', 'busy', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', null, null),
  ('acme', 't-3', 'bob', '{}', 'default', 1, 'h1', 1, 1, 2, null, null, null, 'error', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 60000, '2026-01-01T00:01:00Z'),
  ('acme', 't-4', 'bob', '{}', 'default', 0, '', 0, 1, 2, 'run-11', 'token', '2026-01-01T00:01:00Z', 'busy', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', null, null);
insert into recollect.runs (tenant, run, thread, key, body_hash, graph, input, ticket, status, step, attempts, last_commit, answer, error, created_at, updated_at, base, cancel_asked) values
  ('acme', 'run-1', 't-1', 'k1', 'b1', 'default', null, 1, 'success', 1, 0, '1:1', 2, null, '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 0, false),
  ('acme', 'run-2', 't-1', 'k2', 'b2', 'default', null, 2, 'success', 1, 0, '1:2', 4, null, '2026-01-02T00:00:00Z', '2026-01-02T00:00:01Z', 2, false),
  ('acme', 'run-3', 't-1', 'k3', 'b3', 'default', '{"log":"never kept"}', 3, 'error', 1, 0, '1:3', 4, '{"code":"node_failed","message":"Node \"a\" threw Error."}', '2026-01-02T00:00:00Z', '2026-01-02T00:00:02Z', 4, false),
  ('acme', 'run-9', 't-2', 'k9', 'b9', 'default', '{"log":"orphan"}', 1, 'running', 0, 1, null, null, null, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 0, false),
  ('acme', 'run-10', 't-3', 'k10', 'b10', 'default', null, 1, 'error', 1, 0, '1:2', 1, '{"code":"node_failed","message":"Node \"b\" threw Error."}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 0, false),
  ('acme', 'run-11', 't-4', 'k11', 'b11', 'default', '{"log":"unwanted"}', 1, 'running', 0, 1, null, null, null, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 0, true);
insert into recollect.checkpoints (tenant, thread, seq, parent, run, step, hash, delta, snapshot, chain_bytes, base_bytes, created_at) values
  ('acme', 't-1', 1, 0, 'run-1', 0, 'h1', '{"v":1,"c":{"log":["=",["one"]]},"d":[{"node":"a"}]}', null, 53, 0, '2026-01-01T00:00:00Z'),
  ('acme', 't-1', 2, 1, 'run-1', 1, 'h2', '{"v":1,"c":{"log":["~",[0,1],[["a"]]],"odd":["=",{"$":["Date",0]}]}}', '{"v":1,"s":{"log":["one","a"],"odd":{"$":["Date",0]}}}', 121, 0, '2026-01-01T00:00:01Z'),
  ('acme', 't-1', 3, 2, 'run-2', 0, 'h3', '{"v":1,"c":{"log":["~",[0,2],[["two \u0000 \ud83d"]]]},"d":[{"node":"a"}]}', null, 77, 54, '2026-01-02T00:00:00Z'),
  ('acme', 't-1', 4, 3, 'run-2', 1, 'h4', '{"v":1,"c":{"log":["~",[0,3],[["a"]]]}}', null, 117, 54, '2026-01-02T00:00:01Z'),
  ('acme', 't-3', 1, 0, 'run-10', 0, 'h1', '{"v":1,"c":{"log":["=",["in"]]},"d":[{"node":"a"},{"node":"b"}]}', null, 66, 0, '2026-01-01T00:00:00Z');
insert into recollect.writes (tenant, thread, run, step, task, key, value) values
  ('acme', 't-3', 'run-10', 1, 0, '', '{"v":1,"node":"a","update":{"log":"kept"},"sent":[{"topic":"told","payload":"by the sibling"}]}'),
  ('acme', 't-3', 'run-10', 1, 1, 'part', '"kept too"');
insert into recollect.outbox (tenant, id, thread, run, graph, topic, payload, status, attempts, due_at, created_at) values
  ('acme', 'run-2:1:0.1', 't-1', 'run-2', 'default', 'told', '{"at":{"$":["Date",0]}}', 'pending', 0, '2026-01-02T00:00:01Z', '2026-01-02T00:00:01Z');
insert into recollect.items (tenant, id, space, path, key, value, doc, text, tags, source, author, version, indexed_version, settled_version, ttl_ms, expires_at, created_at, updated_at)
  values ('acme', 'aaaaaaaaaaaaaaaaaaaaaaaa', 's', E'users\x1fbob\x1f', 'tea', '{"text":"prefers tea"}', '{"text":"prefers tea"}', 'prefers tea', '{taste}', 'chat', 'bob', 2, 1, 1, 7776000000, now() + interval '90 days', now(), now());
insert into recollect.item_history (tenant, id, version, value, tags, source, author, at)
  values ('acme', 'aaaaaaaaaaaaaaaaaaaaaaaa', 1, '{"text":"prefers coffee"}', '{}', null, null, now());
insert into recollect.index_meta (name, kind, embedder, dimensions) values ('items', 'sparse', '', 0);
