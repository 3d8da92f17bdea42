// What an operator does: look, go back, answer, clean up. Each command prints for a person, and the service's own words with --json.
import { afterEach, expect, test } from 'vitest'
import { type Operated, operated } from './operated.ts'

let running: Operated | undefined
afterEach(() => running?.server.close())

async function started(): Promise<Operated> {
  running = await operated()
  return running
}

/** Cells of a printed table. */
const rows = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s{2,}/))

test('threads are listed, filtered and paged', async () => {
  const { cli, data, run, asked } = await started()
  await run('abc', { log: 'in' }, 't2')
  await asked()
  const { stdout } = await cli('threads')
  expect(rows(stdout).map(([thread, status]) => [thread, status])).toEqual([
    ['THREAD', 'STATUS'],
    ['t1', 'interrupted'],
    ['t2', 'idle'],
  ])
  expect(await data('threads', '--status', 'idle')).toMatchObject([{ thread_id: 't2' }])
  expect((await cli('threads', '--limit', '1')).stdout).toContain('2 in all; the next: --offset 1')
  expect(await data('threads', '--limit', '1', '--offset', '1')).toMatchObject([{ thread_id: 't2' }])
  expect(await data('threads', '--metadata', '{"topic":"tea"}')).toEqual([])
})

test('history, state, diff and step show how a thread came to be what it is', async () => {
  const { cli, data, asked } = await started()
  await asked()
  const { stdout } = await cli('history', 't1')
  expect(rows(stdout).map(([checkpoint, after]) => [checkpoint, after])).toEqual([
    ['CHECKPOINT', 'AFTER'],
    ['4', '3'],
    ['3', '2'],
    ['2', '1'],
    ['1', '-'],
  ])
  expect(stdout).toContain('asks tool-approval')
  expect(rows((await cli('history', 't1', '--limit', '1', '--before', '3')).stdout)[1]?.[0]).toBe('2')
  const head = (await cli('state', 't1')).stdout
  expect(head).toMatch(/^checkpoint 4, after 3, at .*\ndue: tools\nasks: tool-approval .*"cents":9900.*\(ap_/)
  expect(head).toMatch(/ {2}human: Refund A-17, please\. {2}\[/)
  expect(head).toMatch(/ {2}ai: Let me see\. → order\(\{"id":"A-17"\}\)/)
  expect(head).toMatch(/ {2}tool order: paid/)
  expect(await data('state', 't1', '2')).toMatchObject({ checkpoint: { checkpoint_id: '2' }, next: ['tools'] })
  const diff = (await cli('diff', 't1', '2', '3')).stdout
  expect(diff).toMatch(/^messages:\n\+ tool order: paid {2}\[.*\]\ndue:\n- tools\n\+ model\n$/)
  expect((await cli('diff', 't1', '2', '2')).stdout).toBe('Nothing is different.\n')
  expect((await cli('step', 't1', '2')).stdout).toMatch(/saw 1 message .*it called order\(\{"id":"A-17"\}\) as c1\./s)
})

test('an approval is found, read and given, and the run goes on', async () => {
  const { cli, data, asked, refunds, as } = await started()
  await asked()
  const [[, row]] = [rows((await cli('approvals')).stdout)]
  const id = row?.[0] ?? ''
  expect(row).toEqual([id, 'pending', 't1', 'alex', expect.any(String), '-', expect.stringContaining('"refund"')])
  expect((await cli('approval', id)).stdout).toMatch(
    /^tool-approval of node tools in thread t1 for alex\npending\nshown: /,
  )
  expect(await cli('approve', id, '--decision', 'approve')).toMatchObject({
    code: 0,
    stdout: `accepted: ${id} of thread t1.\n`,
  })
  await expect.poll(async () => (await as()('GET', '/threads/t1')).body.status).toBe('idle')
  expect(refunds).toEqual([9_900])
  const late = await cli('approve', id, '--decision', 'reject')
  expect(late).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/approval_answered, HTTP 409/) })
  expect(await data('approvals')).toEqual([])
  expect(await data('approvals', '--status', 'all', '--thread', 't1')).toMatchObject([{ id, answered_by: 'alex' }])
  expect((await cli('approval', id)).stdout).toMatch(
    /AT +BY +VIA +TOLD\n.*alex +api +accepted\n.*alex +api +answered\n$/,
  )
})

test('a rejection reaches the model with its reason, and an edit asks anew', async () => {
  const { cli, data, asked, refunds, as } = await started()
  await asked()
  const open = async () => ((await data('approvals')) as { id: string }[])[0]?.id ?? ''
  const first = await open()
  const edited = '{"order":"A-17","cents":5}'
  expect(await cli('approve', first, '--decision', 'edit', '--arguments', edited)).toMatchObject({ code: 0 })
  await expect.poll(async () => [first, ''].includes(await open())).toBe(false)
  await cli('approve', await open(), '--decision', 'reject', '--reason', 'too late in the year')
  await expect.poll(async () => (await as()('GET', '/threads/t1')).body.status).toBe('idle')
  expect((await cli('state', 't1')).stdout).toContain('did not approve refund: too late in the year')
  expect(refunds).toEqual([])
})

test('update, fork and replay write new branches, and the old one stays', async () => {
  const { cli, data, run } = await started()
  await run('abc', { log: 'in' })
  expect((await cli('update', 't1', '--values', '{"word":"new"}')).stdout).toBe('Thread t1 is at checkpoint 5.\n')
  expect((await cli('fork', 't1', '2', '--values', '{"word":"forked"}')).stdout).toBe('Thread t1 is at checkpoint 6.\n')
  expect(await data('fork', 't1', '2', '--as-node', 'b')).toMatchObject({ checkpoint: { checkpoint_id: '7' } })
  const replayed = await cli('replay', 't1', '6')
  expect(replayed).toMatchObject({ code: 0, stderr: '' })
  expect(replayed.stdout).toMatch(/^Thread t1 is at checkpoint 9\.\n.*due: nothing\n.*b forked\n {2}c\n/s)
  expect(await data('state', 't1', '4')).toMatchObject({ values: { log: ['in', 'a1', 'b ', 'c'] } })
  expect(await cli('replay', 't1', '4')).toMatchObject({ code: 2, stderr: expect.stringContaining('Nothing was due') })
})

test('a replay that comes to a question says what is asked', async () => {
  const { cli, asked, refunds } = await started()
  await asked()
  expect((await cli('replay', 't1', '2')).stdout).toMatch(
    /^Thread t1 is at checkpoint 6, and waits for answers:\n {2}ap_[\w-]+ {2}tool-approval/,
  )
  expect(refunds).toEqual([])
})

test('a thread is copied, pruned and deleted', async () => {
  const { cli, data, run } = await started()
  await run('abc', { log: 'in' })
  const { thread_id: copy } = (await data('copy', 't1')) as { thread_id: string }
  expect(await data('history', copy)).toHaveLength(4)
  expect(await data('prune', 't1')).toEqual({ pruned_count: 1 })
  expect(await cli('delete', 't1')).toMatchObject({ code: 0, stdout: 'Deleted t1.\n' })
  expect(await cli('delete', 't1')).toMatchObject({ code: 1, stderr: expect.stringContaining('thread_unknown') })
  expect(await cli('prune', 't1')).toMatchObject({ code: 1, stderr: expect.stringContaining('thread_unknown') })
  expect(await data('threads')).toMatchObject([{ thread_id: copy }])
})

test('what users wrote is shown to a terminal, and not obeyed by it', async () => {
  const { cli, data, run } = await started()
  const hostile = 'a\u001b[2J\u0007\u202eb\nc'
  await run('abc', { log: hostile, messages: [{ type: 'human', content: hostile }] })
  for (const words of [['state', 't1'], ['diff', 't1', '1', '2'], ['step', 't1', '1'], ['threads']] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect((await cli(...words)).stdout, words[0]).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
  }
  expect((await cli('state', 't1')).stdout).toContain('\\u001b[2J')
  expect(await data('state', 't1')).toMatchObject({
    values: { log: [hostile, expect.any(String), expect.any(String), 'c'] },
  })
})
