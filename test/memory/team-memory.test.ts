// examples/team-memory, run: what a researcher says becomes a finding for all when the verifier has checked it, and not otherwise.
import { describe, expect, test } from 'vitest'
import { claims, findings, stores, team } from '../../examples/team-memory/team.ts'
import { memoryCheckpointer, memoryStore } from '../../src/adapters/memory/index.ts'
import { agent, type CompiledGraph, forgetTool, latestText, rememberTool, user } from '../../src/index.ts'
import { type Script, scriptedModel } from '../../src/testing/index.ts'

const tenant = 'acme'

/** Remembers what it is told, verifies what there is, and says what it looks up. */
const script: Script = (said, { tools }) => {
  const last = said.at(-1)
  const question = said.findLast(({ role }) => role === 'user')?.content ?? ''
  const may = (name: string) => tools.some((one) => one.name === name)
  if (last?.role === 'tool' && last.name !== 'open_claims') return last.content
  if (last?.role === 'tool') {
    const open: { key: string }[] = JSON.parse(last.content)
    return open.length === 0
      ? 'nothing to verify'
      : {
          calls: open.map(({ key }) => ({
            name: 'verify',
            arguments: { key, evidence: 'read in the log of Tuesday' },
          })),
        }
  }
  if (question === 'forget it') return { calls: [{ name: 'forget', arguments: { id: 'x'.repeat(24) } }] }
  if (question.endsWith('?')) return { calls: [{ name: 'recall', arguments: { query: question } }] }
  if (may('open_claims')) return { calls: [{ name: 'open_claims', arguments: {} }] }
  return { calls: [{ name: 'remember', arguments: { text: question } }] }
}

function house() {
  const store = memoryStore()
  const options = { checkpointer: memoryCheckpointer(), model: scriptedModel(script) }
  const { researcher, verifier } = team({ ...options, store })
  const tell = async (app: Pick<CompiledGraph, 'invoke'>, person: string, text: string) => {
    const state = await app.invoke(
      { messages: user(text) },
      { tenant, user: person, thread: `${person}-${text.length}` },
    )
    return latestText(state as Parameters<typeof latestText>[0])
  }
  const below = async (prefix: readonly string[]) => (await store.search({ tenant, prefix })).items
  return { store, options, researcher, verifier, tell, below }
}

describe('a team', () => {
  test('a claim is no finding until the verifier has checked it; then everybody recalls it, with where it comes from', async () => {
    const { researcher, verifier, tell, below } = house()
    expect(await tell(researcher, 'rita', 'The build breaks on Node 18')).toMatch(/^remembered as \[/)
    expect(await tell(researcher, 'rob', 'On which Node does the build break?')).toBe(
      'Nothing is remembered about that.',
    )
    expect(await below(findings)).toEqual([])

    expect(await tell(verifier, 'vera', 'please check')).toMatch(/^verified as \[/)
    const [finding] = await below(findings)
    expect(finding).toMatchObject({
      text: 'The build breaks on Node 18',
      tags: ['verified'],
      source: 'verifier',
      author: 'vera',
      value: { evidence: 'read in the log of Tuesday', claimedBy: 'rita' },
    })
    expect(await below(claims)).toEqual([])
    for (const [app, person] of [
      [researcher, 'rob'],
      [verifier, 'vera'],
    ] as const) {
      const answer = await tell(app, person, 'On which Node does our build break?')
      expect(answer).toContain(`id="${finding?.id}" source="verifier" author="vera"`)
    }
    expect(await tell(verifier, 'vera', 'please check again')).toBe('nothing to verify')
  })

  test('a researcher cannot write a finding, whatever tools it has and whatever it was told', async () => {
    const { store, options, tell, below } = house()
    const rogue = agent({ tools: [rememberTool({ namespace: findings })] }).compile({
      ...options,
      store: stores.researcher(store),
    })
    expect(await tell(rogue, 'mallory', 'The moon is verified cheese')).toContain('do not allow this to be written')
    expect(await below(['team'])).toEqual([])
  })

  test('a researcher cannot delete one either, and a verifier can', async () => {
    const { store, options, researcher, verifier, tell, below } = house()
    await tell(researcher, 'rita', 'The build breaks on Node 18')
    await tell(verifier, 'vera', 'please check')
    const [finding] = await below(findings)
    const forgetting = scriptedModel((said) =>
      said.at(-1)?.role === 'tool'
        ? (said.at(-1)?.content ?? '')
        : { calls: [{ name: 'forget', arguments: { id: finding?.id ?? '' } }] },
    )
    const withStore = (guarded: typeof store) =>
      agent({ tools: [forgetTool({ namespace: findings })] }).compile({ ...options, model: forgetting, store: guarded })
    expect(await tell(withStore(stores.researcher(store)), 'rita', 'x')).toContain('do not allow this to be deleted')
    expect(await below(findings)).toHaveLength(1)
    expect(await tell(withStore(stores.verifier(store)), 'vera', 'x')).toBe('forgotten')
    expect(await below(findings)).toEqual([])
  })

  test('a verifier writes nothing as a finding that has no evidence', async () => {
    const { store, options, tell, below } = house()
    const hasty = agent({ tools: [rememberTool({ namespace: findings })] }).compile({
      ...options,
      store: stores.verifier(store),
    })
    expect(await tell(hasty, 'vera', 'I just know it')).toContain('do not allow this to be written')
    expect(await below(findings)).toEqual([])
  })

  test('another tenant knows nothing of it', async () => {
    const { researcher, verifier, tell, store } = house()
    await tell(researcher, 'rita', 'The build breaks on Node 18')
    await tell(verifier, 'vera', 'please check')
    expect((await store.search({ tenant: 'other', prefix: [] })).items).toEqual([])
  })
})
