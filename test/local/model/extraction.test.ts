// What the scripted model writes into long-term memory: simple statements, beside what is remembered.
import { expect, test } from 'vitest'
import { reply } from '../../../local/model/script.ts'

function written(messages: readonly string[], memories: readonly string[] = []) {
  const tags = (tag: string, texts: readonly string[]) =>
    texts.map((text, index) => `<${tag} number="${index + 1}" role="user">${text}</${tag}>`).join('\n')
  const content = `<messages>\n${tags('message', messages)}\n</messages>\n<memories>\n${tags('memory', memories)}\n</memories>`
  const said = reply({
    model: 'scripted',
    messages: [
      { role: 'system', content: 'Keep the memory.' },
      { role: 'user', content },
    ],
    tools: [{ type: 'function', function: { name: 'write_memories', parameters: { type: 'object' } } }],
  })
  if (said.kind !== 'calls') return said
  return JSON.parse(said.calls[0]?.arguments ?? '').memories
}

test('simple statements are added, each from its message', () => {
  expect(written(['I prefer tea, and I deploy on Kubernetes.', 'Hello!', 'My name is Ada'])).toEqual([
    { action: 'add', text: 'Prefers tea.', from: [1] },
    { action: 'add', text: 'Deploys on Kubernetes.', from: [1] },
    { action: 'add', text: 'Name is Ada.', from: [3] },
  ])
  expect(written(['Where do I deploy?', 'What do I prefer?', 'My order is A1'])).toEqual([])
})

test('the last word counts', () => {
  expect(written(['I live in Rome', 'I live in Oslo'])).toEqual([
    { action: 'add', text: 'Lives in Oslo.', from: [1, 2] },
  ])
})

test('a memory that says otherwise is updated, one that says the same kept, one that holds no longer deleted', () => {
  const memories = ['Prefers dark mode.', 'Deploys on Heroku.', 'Works on R&amp;D.', 'Prefers dark chocolate.']
  expect(
    written(['I prefer light mode', 'I deploy on Heroku', 'I no longer work on R&amp;D', 'I prefer tea'], memories),
  ).toEqual([
    { action: 'update', text: 'Prefers light mode.', memory: 1, from: [1] },
    { action: 'keep', text: 'Deploys on Heroku.', memory: 2, from: [2] },
    { action: 'delete', memory: 3, from: [3] },
    { action: 'add', text: 'Prefers tea.', from: [4] },
  ])
})

test('what is to be forgotten, or is denied, is deleted and not added', () => {
  for (const said of ['Please forget that I live in Rome.', 'forget I live in Rome', 'I don’t live in Rome any more']) {
    expect(written([said])).toEqual([])
    expect(written([said], ['Lives in Rome.'])).toEqual([{ action: 'delete', memory: 1, from: [1] }])
  }
})
