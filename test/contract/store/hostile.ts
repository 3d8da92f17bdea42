// The contract on hostile text: what a user, a model or a token's issuer can put anywhere comes back as it was, and moves nothing.
import { expect, test } from 'vitest'
import type { ItemPut } from '../../../src/ports/store.ts'
import { freshTenant, type Subject } from './subject.ts'

const texts: Record<string, string> = {
  'a NUL': 'a\u0000b',
  'lone surrogates': '\ud83d x \ude00',
  quotes: `'";--$$'' "" \`\``,
  backslashes: '\\ \\\\ \\n \\u0000 \\x00',
  braces: '{a,b} {"NULL"} {} ( ) ,',
  emoji: '😀👩‍👩‍👧‍👦',
  'control characters': '\u0001\u001f\u007f\u2028\u2029\r\n\t',
  'private use': '\ue000 \ue0000000 \ufffd',
  'an empty text': '',
  'a tag': '{"$":["Date",0]}',
}

const names = [
  "'; drop table recollect.items; --",
  '__proto__',
  'constructor',
  '%',
  '_',
  '\\',
  '"',
  '{a,b}',
  '😀',
  ' ',
  '*',
  '..',
]

export function hostile(subject: Subject) {
  test.each(Object.entries(texts))('%s in a value, as a key or a text, comes back as it was', async (_, text) => {
    const at = freshTenant(subject)
    const value = { text, [`key ${text}`]: { deep: [text] }, $: text, __proto__x: text }
    await at.put(['a'], 'k', value)
    expect((await at.get(['a'], 'k'))?.value).toEqual(value)
    expect((await at.search(['a'])).items[0]?.value).toEqual(value)
    expect(await subject().history({ tenant: at.tenant, namespace: ['a'], key: 'k' })).toMatchObject([{ value }])
    await at.keys(['a'], { query: text })
  })

  test.each(names)('%j as tenant, segment, key, tag, source and author is a name like any other', async (name) => {
    const at = freshTenant(subject, name)
    await at.put([name, `${name}x`], name, { text: 'theirs' })
    await at.put([name], name, { text: 'ours' }, { tags: [name], source: name, author: name })
    expect(await at.get([name], name)).toMatchObject({
      namespace: [name],
      key: name,
      tags: [name],
      source: name,
      author: name,
    })
    const filter = { op: 'contains', field: 'tags', value: name } as const
    expect(await at.search([], { filter })).toMatchObject({ items: [{ value: { text: 'ours' } }] })
    expect(await at.delete([name], name)).toBe(true)
    expect(await at.get([name, `${name}x`], name)).toMatchObject({ value: { text: 'theirs' } })
  })

  test('the longest names, of the widest letters, are kept and found', async () => {
    const wide = '語'.repeat(256)
    const at = freshTenant(subject, '語'.repeat(240))
    await at.put([wide, wide], wide, { text: 'canary' }, { source: wide, author: wide })
    expect(await at.keys([wide], { query: 'canary' })).toEqual([wide])
    await expect(at.put([wide, wide, 'x'], 'k')).rejects.toMatchObject({ code: 'id_invalid' })
  })

  test.each([[''], ['x'.repeat(257)], ['a\u0000'], [7], [null], [{}], [['k']], [undefined]])(
    'the key %j is refused',
    async (given) => {
      const key = given as string
      const { tenant } = freshTenant(subject)
      const namespace = ['a']
      await expect(subject().put({ tenant, namespace, key, value: {} })).rejects.toMatchObject({ code: 'id_invalid' })
      await expect(subject().get({ tenant, namespace, key })).rejects.toMatchObject({ code: 'id_invalid' })
      await expect(subject().delete({ tenant, namespace, key })).rejects.toMatchObject({ code: 'id_invalid' })
      await expect(subject().history({ tenant, namespace, key })).rejects.toMatchObject({ code: 'id_invalid' })
    },
  )

  test.each(Object.entries(texts))('by %s for an id nothing is found', async (_, id) => {
    const at = freshTenant(subject)
    const known = await at.put(['a'], 'k')
    const found = await subject().find({ tenant: at.tenant, prefix: ['a'], ids: [id, known.id, `${id}${known.id}`] })
    expect(found.map((item) => item.id)).toEqual([known.id])
    expect(await subject().find({ tenant: at.tenant, prefix: [], ids: [id] })).toEqual([])
  })

  test.each(['0001-01-01', '9999-12-31'])('times are compared as far as %s', async (value) => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k')
    for (const [op, before] of [
      ['gt', true],
      ['lt', false],
    ] as const) {
      const keys = await at.keys(['a'], { filter: { op, field: 'created', value } })
      expect(keys).toEqual(before === value.startsWith('0') ? ['k'] : [])
    }
  })

  const wrong: readonly (readonly [unknown, string])[] = [
    [{ value: null }, 'input_invalid'],
    [{ value: 'text' }, 'input_invalid'],
    [{ value: [] }, 'input_invalid'],
    [{ value: new Map() }, 'input_invalid'],
    [{ value: { f: () => 1 } }, 'state_unserializable'],
    [{ value: { text: 'x'.repeat(70_000) } }, 'item_too_large'],
    [{ value: { text: '😀'.repeat(17_000) } }, 'item_too_large'],
    [{ text: 7 }, 'input_invalid'],
    [{ tags: 'pricing' }, 'input_invalid'],
    [{ tags: [''] }, 'input_invalid'],
    [{ tags: ['x'.repeat(65)] }, 'input_invalid'],
    [{ tags: Array.from({ length: 33 }, (_, index) => `${index}`) }, 'input_invalid'],
    [{ source: '' }, 'input_invalid'],
    [{ author: { name: 'alex' } }, 'input_invalid'],
    [{ ttlMs: 0 }, 'input_invalid'],
    [{ ttlMs: Number.POSITIVE_INFINITY }, 'input_invalid'],
    [{ ttlMs: '5' }, 'input_invalid'],
    [{ expectedVersion: -1 }, 'input_invalid'],
  ]
  test.each(wrong)('what is no item is refused, and nothing is kept (%#)', async (part, code) => {
    const at = freshTenant(subject)
    const put = at.put(['a'], 'k', { text: 'x' }, part as Partial<ItemPut>)
    await expect(put).rejects.toMatchObject({ code })
    expect(await at.keys([])).toEqual([])
  })

  test('the largest value, and a text of 60,000 characters, are kept and found by their beginning', async () => {
    const at = freshTenant(subject)
    const value = { text: `canary ${Array.from({ length: 9_000 }, (_, n) => `w${n}`).join(' ')}` }
    expect(value.text.length).toBeGreaterThan(50_000)
    await at.put(['a'], 'k', value)
    expect((await at.get(['a'], 'k'))?.value).toEqual(value)
    expect(await at.keys(['a'], { query: 'canary' })).toEqual(['k'])
  })
}
