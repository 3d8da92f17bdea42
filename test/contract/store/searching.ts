// The contract on search: by words, by prefix, page by page, and saying how it was done.
import { expect, test } from 'vitest'
import { type Filter, parseFilter } from '../../../src/kernel/filter.ts'
import { freshTenant, type Subject } from './subject.ts'

export function searching(subject: Subject) {
  test('without words the latest are first, page by page', async () => {
    const at = freshTenant(subject)
    for (let n = 0; n < 5; n++) {
      await at.put(['a'], `k${n}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(await at.search(['a'], { limit: 2 })).toMatchObject({
      ...{ items: [{ key: 'k4', score: null }, { key: 'k3' }], more: true, mode: 'list', degraded: null },
    })
    expect(await at.search(['a'], { limit: 2, offset: 4 })).toMatchObject({ items: [{ key: 'k0' }], more: false })
    expect(await at.search(['a'], { limit: 1, offset: 5 })).toMatchObject({ items: [], more: false })
    expect(await at.search(['a'], { limit: 5 })).toMatchObject({ more: false })
  })

  test('pages by id have each item once, whatever is written again meanwhile', async () => {
    const at = freshTenant(subject)
    const all = Array.from({ length: 10 }, (_, n) => `k${n}`)
    const putAll = (text: string) => at.putAll(all.map((key) => ({ namespace: ['a', key], key, value: { text } })))
    await putAll('first')
    await at.put(['b'], 'elsewhere')
    const seen: string[] = []
    for (let afterId = '', more = true; more; ) {
      const page = await at.search(['a'], { afterId, limit: 3, refresh: false })
      seen.push(...page.items.map(({ key }) => key))
      more = page.more
      afterId = page.items.at(-1)?.id ?? ''
      await putAll(`again ${seen.length}`)
    }
    expect(seen.toSorted()).toEqual(all)
    expect(await at.keys(['a'], { afterId: '', filter: { op: 'eq', field: 'key', value: 'k7' } })).toEqual(['k7'])
  })

  test.each([[{ afterId: 7 as unknown as string }], [{ afterId: 'a\u0000' }], [{ afterId: '', query: 'canary' }]])(
    'what is no page by id is refused (%#)',
    async (page) => {
      await expect(freshTenant(subject).search(['a'], page)).rejects.toMatchObject({ code: 'input_invalid' })
    },
  )

  test('a question finds what says its words, the nearest first', async () => {
    const at = freshTenant(subject)
    await at.put(['users', 'alex'], 'deploy', { text: 'Deploys every service on Kubernetes in Frankfurt' })
    await at.put(['users', 'alex'], 'tea', { text: 'Prefers green tea to coffee' })
    await at.put(['users', 'alex'], 'region', {
      text: 'The Frankfurt office is closed on Fridays, and the one in Rome on Mondays',
    })
    const asked = 'Where do we deploy services in Frankfurt?'
    expect((await at.search(['users', 'alex'], { query: asked })).mode).not.toBe('list')
    expect(await at.nearest(['users', 'alex'], asked, 2)).toEqual(['deploy', 'region'])
    expect(await at.nearest(['users', 'alex'], 'coffee', 1)).toEqual(['tea'])
    expect(await at.nearest(['users', 'alex'], 'nothing of the kind', 0)).toEqual([])
  })

  test.each([
    ['Chinese', '他喜欢绿茶，住在北京市', '北京有什么茶？'],
    ['Japanese', '東京のデータセンターにデプロイします', 'デプロイ先は？'],
    ['Korean', '서울에서 쿠버네티스를 배포합니다', '서울 배포'],
    ['Thai', 'เขาชอบชาเขียว', 'ชาเขียว'],
    ['Hindi', 'उसे हिन्दी किताबें पसंद हैं', 'हिन्दी'],
    ['Russian', 'Любит чёрный чай', 'черный'],
    ['German', 'Mag Grünkohl aus der Hauptstraße', 'gruenkohl grunkohl'],
    ['German in capitals', 'Wohnt in der Goethestraße', 'GOETHESTRASSE'],
    ['French', 'Va à l’école à vélo', 'ECOLE'],
    ['Polish', 'Mieszka w Łodzi', 'lodzi'],
    ['Turkish', 'İstanbul’da oturuyor', 'istanbul'],
    ['wide letters', 'ＡＢＣ１２３ is the badge', 'abc123'],
    ['two scripts in one word', '用Kubernetes部署服务', 'kubernetes'],
  ])('words are found in any script and spelling: %s', async (_, text, query) => {
    const at = freshTenant(subject)
    await at.put(['a'], 'wanted', { text })
    for (const other of ['Prefers tea', '上海天气很好', '大阪は雨です', '부산', 'แมว', 'नमस्ते', 'Пьёт кофе', 'Kaffee'])
      await at.put(['a'], other)
    expect(await at.nearest(['a'], query, 1)).toEqual(['wanted'])
  })

  test('what was written just now is found', async () => {
    const at = freshTenant(subject)
    for (let n = 0; n < 5; n++) {
      await at.put(['a'], `k${n}`, { text: `number${n} of the canaries` })
      expect(await at.nearest(['a'], `number${n}`, 1)).toEqual([`k${n}`])
    }
    await at.put(['a'], 'k1', { text: 'changed' })
    expect(await at.nearest(['a'], 'number1', 0)).toEqual([])
    expect(await at.nearest(['a'], 'changed', 1)).toEqual(['k1'])
    await at.delete(['a'], 'k1')
    expect(await at.nearest(['a'], 'changed', 0)).toEqual([])
    expect(await at.keys(['a'], { query: 'changed' })).not.toContain('k1')
  })

  test('what has no text is not found by words', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { text: 'canary' }, { text: false })
    expect(await at.keys(['a'], { query: 'canary' })).toEqual([])
    expect(await at.keys(['a'])).toEqual(['k'])
  })

  test('a prefix is searched by whole segments', async () => {
    const at = freshTenant(subject)
    for (const user of ['1', '12', '1_x', '1.2']) await at.put(['users', user], `of ${user}`, { text: 'about pricing' })
    await at.put(['users', '1', 'notes'], 'below 1', { text: 'about pricing' })
    await at.put(['user'], 'elsewhere', { text: 'about pricing' })
    for (const query of [undefined, 'pricing']) {
      const more = query === undefined ? {} : { query }
      expect((await at.keys(['users', '1'], more)).toSorted()).toEqual(['below 1', 'of 1'])
      expect(await at.keys(['users'], more)).toHaveLength(5)
      expect(await at.keys([], more)).toHaveLength(6)
      expect(await at.keys(['users', '%'], more)).toEqual([])
    }
  })

  test('the filter counts before the limit', async () => {
    const at = freshTenant(subject)
    const values = Array.from({ length: 40 }, (_, n) => ({ text: 'canary in the mine', n, wanted: n % 10 === 0 }))
    await at.putAll(values.map((value) => ({ namespace: ['a'], key: `k${value.n}`, value })))
    const filter = { op: 'eq', field: 'value.wanted', value: true } as const
    const found = await at.search(['a'], { query: 'canary', filter, limit: 3 })
    expect(found.items).toHaveLength(3)
    expect(found.more).toBe(true)
    expect(await at.keys(['a'], { query: 'canary', filter, limit: 10 })).toHaveLength(4)
  })

  test('what any user said about pricing in the last 90 days', async () => {
    const at = freshTenant(subject)
    for (const user of ['alex', 'bob']) {
      await at.put(
        ['users', user],
        'pricing',
        { text: `${user} finds the pricing fair` },
        { tags: ['pricing'], author: user },
      )
      await at.put(['users', user], 'tea', { text: `${user} drinks tea` }, { tags: ['taste'], author: user })
    }
    const since = (time: number): Filter => ({
      op: 'and',
      filters: [
        parseFilter({ op: 'gte', field: 'created', value: time }),
        { op: 'contains', field: 'tags', value: 'pricing' },
      ],
    })
    const day = 86_400_000
    const about = async (filter: Filter) => (await at.search(['users'], { query: 'pricing', filter })).items.length
    expect(await about(since(Date.now() - 90 * day))).toBe(2)
    expect(await about(since(Date.now() + day))).toBe(0)
    const ofBob: Filter = { op: 'eq', field: 'author', value: 'bob' }
    expect(await about({ op: 'and', filters: [ofBob, { op: 'contains', field: 'tags', value: 'pricing' }] })).toBe(1)
    const [item] = (await at.search(['users'])).items
    const exactly = (op: string) =>
      at.keys(['users'], { filter: parseFilter({ op, field: 'updated', value: item?.updatedAt }) })
    expect(await exactly('eq')).toContain(item?.key)
    expect(await exactly('gt')).toEqual([])
  })

  test.each([
    [{ limit: 0 }],
    [{ limit: 101 }],
    [{ limit: 1.5 }],
    [{ limit: Number.NaN }],
    [{ offset: -1 }],
    [{ offset: 10_001 }],
    [{ limit: '5' as unknown as number }],
  ])('%j is refused', async (page) => {
    await expect(freshTenant(subject).search(['a'], page)).rejects.toMatchObject({ code: 'input_invalid' })
  })

  test.each([
    [{ query: 7 as unknown as string }],
    [{ filter: { op: 'like', field: 'key', value: 'k' } as unknown as Filter }],
    [{ filter: { op: 'eq', field: 'constructor', value: 'k' } as Filter }],
    [{ filter: { op: 'gte', field: 'created', value: 'some day' } as Filter }],
    [{ filter: { op: 'eq', field: 'value.n', value: Number.NaN } as Filter }],
    [{ filter: null as unknown as Filter }],
  ])('what is no question is refused (%#)', async (search) => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { text: 'canary' })
    await expect(at.search(['a'], search)).rejects.toMatchObject({ code: 'input_invalid' })
    await expect(at.search(['a'], { query: 'canary', ...search })).rejects.toMatchObject({ code: 'input_invalid' })
  })

  test('a filter is taken as its JSON would be: times as numbers, texts as filters see them', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { text: 'canary', odd: 'a\u0000b' })
    const filters: readonly Filter[] = [
      { op: 'gte', field: 'created', value: Date.now() - 60_000 },
      { op: 'lt', field: 'updated', value: Date.now() + 60_000 },
      { op: 'eq', field: 'value.odd', value: 'a\u0000b' },
    ]
    for (const filter of filters) {
      expect(await at.keys(['a'], { filter })).toEqual(['k'])
      expect(await at.search(['a'], { filter, query: 'canary' })).toMatchObject({
        items: [{ key: 'k' }],
        degraded: null,
      })
    }
  })

  test('a query of any length or kind of text breaks nothing', async () => {
    const at = freshTenant(subject)
    await at.put(['a'], 'k', { text: 'canary' })
    const queries = [
      '',
      ' ',
      '!!!',
      "'",
      "a' | 'b",
      '\\',
      '& | ! ( ) : * <->',
      'the of and',
      '\u0000',
      '\ud83d',
      '😀',
      'x '.repeat(20_000),
    ]
    for (const query of queries) expect(await at.nearest(['a'], query, 0)).toEqual([])
    expect(await at.keys(['a'], { query: "'; canary \\ & |" })).toEqual(['k'])
  })
}
