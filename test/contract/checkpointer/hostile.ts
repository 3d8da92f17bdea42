// The contract on hostile text: what a user, a model or a token's issuer can put anywhere comes back as it was, and moves nothing.
import { expect, test } from 'vitest'
import { claim, frames, freshThread, passing, request, type Subject, takeOver, turn } from './turn.ts'

const texts: Record<string, string> = {
  'a NUL': 'a\u0000b',
  'lone surrogates': '\ud83d x \ude00',
  quotes: `'";--$$'' "" \`\``,
  backslashes: '\\ \\\\ \\n \\u0000 \\x00',
  braces: '{a,b} {"NULL"} {} ( ) ,',
  'half an array': '"},{"',
  emoji: '😀👩‍👩‍👧‍👦',
  'control characters': '\u0001\u001f\u007f\u2028\u2029\r\n\t',
  'private use': '\ue000 \ue0000000 \ue000e000 \uf8ff',
  'an empty text': '',
  'the word NULL': 'NULL',
}

const names = [
  "'; drop table recollect.threads; --",
  '__proto__',
  'constructor',
  '%',
  '_',
  '\\',
  '"',
  '{a,b}',
  '😀',
  ' ',
]

export function hostile(subject: Subject) {
  test.each(Object.entries(texts))('%s in input and deltas comes back as it was', async (_, text) => {
    const at = freshThread()
    const stored = JSON.stringify({ text })
    const run = { run: 'run-1', key: 'k', bodyHash: 'b', input: stored, strategy: 'reject' } as const
    await claim(subject(), request(at, 'run-1', { run, leaseMs: 10 }))
    await passing(20)
    const begin = takeOver(at, 'adopter')
    const taken = await claim(subject(), begin)
    expect(taken.input).toBe(stored)
    const claimed = { tenant: at.tenant, thread: at.thread, run: 'run-1', epoch: taken.epoch, token: 'adopter' }
    const checkpoints = [0, 1].map((step) => ({ step, hash: `h${step}`, delta: `${stored}${step}`, seen: stored }))
    const end = {
      head: 0,
      hash: '',
      step: 1,
      status: 'success',
      error: null,
      leaseMs: 1_000,
      saved: [],
      messages: [],
      questions: [],
    } as const
    expect(await subject().commitStep({ ...claimed, checkpoints, ...end })).toMatchObject({ outcome: 'applied' })
    await subject().putSnapshot({ ...at, seq: 1, hash: 'h0', text: stored })
    const list = await frames(subject(), at, null, 1)
    expect(list.map((frame) => frame.text)).toEqual([stored, `${stored}1`])
    expect(await subject().loadStep({ ...at, seq: 2 })).toMatchObject({ seen: stored })
  })

  test.each(Object.entries(texts))('%s in metadata, key or value, comes back and is found', async (_, text) => {
    const at = freshThread()
    const metadata = { [`k${text}`]: { deep: [text] }, plain: text }
    await subject().threads.create(at, { metadata })
    expect((await subject().threads.get(at))?.metadata).toEqual(metadata)
    expect((await subject().threads.patch(at, { metadata: { more: text } }))?.metadata).toEqual({
      ...metadata,
      more: text,
    })
    const found = (filter: Record<string, unknown>) =>
      subject().threads.count({
        ...{ tenant: at.tenant, owner: null, metadata: filter, ids: null, status: null },
        ...{ limit: 10, offset: 0, sortBy: 'thread', descending: false },
      })
    expect(await found(metadata)).toBe(1)
    expect(await found({ plain: `${text}?` })).toBe(0)
  })

  test('a megabyte in a delta comes back whole', async () => {
    const at = freshThread()
    const delta = `"${'x"\\'.repeat(350_000)}"`
    await turn(subject(), at, 'run-1', [delta, 'end'])
    expect((await frames(subject(), at))[0]?.text === delta).toBe(true)
    expect((await claim(subject(), request(at, 'run-2'))).frames).toBeNull()
  })

  test.each(names)('%j as tenant, owner, thread, run, key, graph and token is a name like any other', async (name) => {
    const at = { tenant: `${freshThread().tenant}${name}`, thread: name, owner: name }
    const neighbour = { ...at, thread: `${name}x`, owner: 'bob' }
    await turn(subject(), neighbour, 'run-1', ['theirs'])
    const run = { run: name, key: name, bodyHash: name, input: name, strategy: 'reject' } as const
    const begin = request(at, name, { run, graph: name, token: name })
    const claimed = await claim(subject(), begin)
    expect(claimed).toMatchObject({ run: name, mine: true, graph: name, owner: name, input: name })
    expect(await claim(subject(), begin)).toEqual(claimed)
    expect(await subject().threads.get(at)).toMatchObject({ thread: name, owner: name, graph: name })
    expect(await subject().runs.get(at, name)).toMatchObject({ run: name, thread: name })
    expect(await frames(subject(), neighbour)).toMatchObject([{ text: 'theirs' }])
    expect(await subject().threads.delete(at)).toBe(true)
    expect(await subject().threads.get(neighbour)).toMatchObject({ head: 1 })
  })

  test.each(['__proto__', 'constructor', 'toString'])(
    'the tenant %s holds nothing that nobody put there',
    async (tenant) => {
      const at = { tenant, thread: 'toString', owner: null }
      expect(await subject().threads.get(at)).toBeUndefined()
      expect(await subject().loadChain({ ...at, seq: null, count: 1 })).toBeUndefined()
      expect(await subject().runs.get(at, 'toString')).toBeUndefined()
      expect(await subject().beginTurn(takeOver(at, 'x'))).toEqual({ outcome: 'unknown-thread' })
    },
  )
}
