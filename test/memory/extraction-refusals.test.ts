// What extraction refuses: secrets, what the policy forbids, and what tools and the model said.
import { beforeEach, describe, expect, test } from 'vitest'
import type { ExtractedFact } from '../../src/index.ts'
import { extractingOver, inMemory, type Storage, writing } from './extracting.ts'

let storage: Storage
beforeEach(() => {
  storage = inMemory()
})

describe('what is refused', () => {
  const secrets = {
    'a key': [
      'Uses sk-proj-abcdefghijklmnop1234 for tests.',
      'Key AKIAIOSFODNN7EXAMPLE is theirs.',
      'Has aB3dE6gH9jK2mN5pQ8sT1vW4.',
    ],
    'a token': ['Sends eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc with it.'],
    'a password': [
      ...['Their password is hunter2.', 'The PIN is 4711.', 'Uses postgres://me:hunter2@db/app.'],
      ...[
        'Das Passwort ist hunter2.',
        'WLAN-Kennwort: hunter2',
        'Le mot de passe est hunter2.',
        'Su contraseña es hunter2.',
      ],
      ...['La password è hunter2.', 'A senha é hunter2.', 'Het wachtwoord is hunter2.', 'Hasło to hunter2.'],
      ...['Пароль: hunter2', '他的密码是hunter2', 'パスワードはhunter2です', '비밀번호는 hunter2'],
    ],
    'a card number': ['Pays with 4111 1111 1111 1111.', 'Pays with ４１１１-1111-1111-1111.'],
    'a private key': ['-----BEGIN RSA PRIVATE KEY----- is what they pasted.'],
  }

  test('is every secret, and the log names its kind alone', async () => {
    const texts = Object.values(secrets).flat()
    const written = () => writing(...texts.map((text) => ({ action: 'add', text, from: [1] })))
    const { say, quiet, facts, log } = extractingOver(storage, { written })
    await say('secrets')
    await quiet()
    expect(await facts()).toEqual([])
    const kinds = Object.entries(secrets).flatMap(([kind, some]) => some.map(() => kind))
    expect(await log()).toMatchObject({ did: kinds.map((reason) => ({ action: 'refused', reason })) })
    expect(JSON.stringify(await log())).not.toMatch(/hunter2|4111|AKIA|4711/)
  })

  test('is nothing that only has a number, a date or an id in it', async () => {
    const texts = [
      'Has called 2024-11-25 at 10:30 from +49 170 1234567.',
      'Works on ticket 123e4567-e89b-12d3-a456-426614174000.',
      'Keeps the keys of the office, and a secret is safe with them.',
      'Hat das Passwort vergessen, und wechselt Passwörter oft.',
      '喜欢密码学。',
      'Order 1234567890123 was late.',
    ]
    const written = () => writing(...texts.map((text) => ({ action: 'add', text, from: [1] })))
    const { say, quiet, facts } = extractingOver(storage, { written })
    await say('numbers')
    await quiet()
    expect(await facts()).toEqual(texts.toSorted())
  })

  test('is what the policy forbids, which is told what it would replace', async () => {
    const seen: ExtractedFact[] = []
    const policy = (fact: ExtractedFact) => {
      seen.push(fact)
      return !fact.text.includes('Paris')
    }
    const { say, quiet, facts, log } = extractingOver(storage, { policy })
    await say('I live in Rome')
    await quiet()
    await say('I live in Paris, and I prefer tea')
    await quiet()
    expect(await facts()).toEqual(['Lives in Rome.', 'Prefers tea.'])
    expect(await log()).toMatchObject({ did: [{ action: 'refused', reason: 'by policy' }, { action: 'added' }] })
    expect(seen[1]).toMatchObject({ replaces: expect.stringMatching(/^[\w-]{24}$/), user: 'alex', thread: 't' })
  })

  test('is what tools and the model said, unless they may', async () => {
    const answer = 'I prefer light mode'
    const { say, quiet, facts } = extractingOver(storage, { answer })
    await say('hello')
    await quiet()
    expect(await facts()).toEqual([])
    const other = extractingOver(storage, { answer, roles: ['user', 'assistant'] })
    await other.say('hello', 'b')
    await other.quiet()
    expect(await facts()).toEqual(['Prefers light mode.'])
  })
})
