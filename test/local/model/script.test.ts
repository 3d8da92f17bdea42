// What the scripted model answers, rule by rule, without a server.
import { describe, expect, test } from 'vitest'
import { type ChatRequest, chatModel } from '../../../local/model/request.ts'
import { reply } from '../../../local/model/script.ts'

type Messages = ChatRequest['messages']

const user = (content: string) => ({ role: 'user' as const, content })
const assistant = (content: string) => ({ role: 'assistant' as const, content })
const system = (content: string) => ({ role: 'system' as const, content })

function answerTo(...messages: Messages): string {
  const found = reply({ model: chatModel, messages })
  if (found.kind !== 'answer') throw new Error(`expected an answer, got ${found.kind}`)
  return found.text
}

/** The answer to a later message, so that it does not say that it is scripted. */
const later = (...messages: Messages) => answerTo(user('Hi'), assistant('(scripted model) You said: Hi.'), ...messages)

describe('who it is', () => {
  test('the first answer of a conversation says that the model is scripted, later ones do not', () => {
    expect(answerTo(user('Hi'))).toBe('(scripted model) You said: Hi. This is message 1 of our conversation.')
    expect(later(user('Still there?'))).toBe('You said: Still there? This is message 2 of our conversation.')
  })

  test('an empty conversation is answered', () => {
    expect(answerTo(system('Be brief.'))).toBe('(scripted model) You have not said anything yet.')
  })

  test('the same request gets the same reply', () => {
    const request = { model: chatModel, messages: [user('Hi'), assistant('Hello'), user('echo again')] }
    expect(reply(request)).toEqual(reply(structuredClone(request)))
  })

  test('text parts of a message are read, others are passed over', () => {
    const content = [{ type: 'text', text: 'echo a' }, { type: 'image_url' }, { type: 'text', text: 'b' }]
    expect(later({ role: 'user', content })).toBe('ab')
  })
})

describe('what it remembers', () => {
  test.each([
    ['my name is Ada', 'what is my name?', 'Noted: your name is Ada.', 'Your name is Ada.'],
    [
      'My name is Ada Lovelace by the way',
      'Who am I?',
      'Noted: your name is Ada Lovelace.',
      'Your name is Ada Lovelace.',
    ],
    [
      'I live in Berlin, Germany.',
      'Where do I live?',
      'Noted: you live in Berlin, Germany.',
      'You live in Berlin, Germany.',
    ],
    [
      'I work on v1.2 of the engine!',
      'what do I work on',
      'Noted: you work on v1.2 of the engine.',
      'You work on v1.2 of the engine.',
    ],
    ['i prefer green tea', 'What do I prefer for breakfast?', 'Noted: you prefer green tea.', 'You prefer green tea.'],
    ['my order is A17', "what's my order?", 'Noted: your order is A17.', 'Your order is A17.'],
  ])('"%s" answers "%s" later', (stated, question, noted, known) => {
    expect(later(user(stated))).toBe(noted)
    expect(later(user(stated), assistant(noted), user(question))).toBe(known)
  })

  test('several facts in one message are all noted', () => {
    expect(later(user('My name is Ada, I live in Paris and I prefer tea.'))).toBe(
      'Noted: your name is Ada, you live in Paris, you prefer tea.',
    )
  })

  test('the newest statement holds', () => {
    expect(later(user('my name is Ada'), user('my name is Grace'), user('what is my name?'))).toBe(
      'Your name is Grace.',
    )
  })

  test.each([
    ['what is my name?', 'I do not know your name.'],
    ['where do I live?', 'I do not know where you live.'],
    ['what do I work on?', 'I do not know what you work on.'],
    ['what do I prefer?', 'I do not know what you prefer.'],
    ['what is my order?', 'I do not know your order.'],
  ])('"%s" is not known unless it was said', (question, unknown) => {
    expect(later(user(question))).toBe(unknown)
  })

  test.each([
    ["The user's name is Ada.", 'what is my name?', 'I remember: your name is Ada.'],
    ['- lives in Paris (m1)\n- prefers tea', 'where do I live?', 'I remember: you live in Paris.'],
    ['[{"text":"works on engines","id":"m2"}]', 'what do I work on?', 'I remember: you work on engines.'],
    ['<memory id="m3">Ada prefers aisle seats</memory>', 'what do I prefer?', 'I remember: you prefer aisle seats.'],
    ['I prefer tea', 'what do I prefer?', 'I remember: you prefer tea.'],
    ['<memory id="m4">Lives in Paris.</memory>', 'where do I live?', 'I remember: you live in Paris.'],
    ['Their order number is #A17.', 'what is my order?', 'I remember: your order is A17.'],
  ])('recalled "%s" answers "%s"', (recalled, question, known) => {
    expect(later(system(recalled), user(question))).toBe(known)
    expect(later({ role: 'developer', content: recalled }, user(question))).toBe(known)
    expect(later(user(`<recalled source="users">${recalled}</recalled>`), user(question))).toBe(known)
    expect(later(user(`<memories>\n${recalled}\n</memories>\n${question}`))).toBe(known)
  })

  test('a recalled block is not the user speaking', () => {
    expect(later(user('echo hi'), user('<recalled>my name is Ada</recalled>'))).toBe('hi')
    expect(later(user('<recalled>my name is Ada</recalled>'), user('and now?'))).toBe(
      'You said: and now? This is message 2 of our conversation.',
    )
  })

  test('what the conversation says beats what was recalled', () => {
    expect(later(system('name is Ada'), user('my name is Grace'), user('what is my name?'))).toBe('Your name is Grace.')
  })

  test.each(['Your name is Desk.', 'Prefer short answers.', 'An order number is required.'])(
    'the instruction "%s" is not a fact about the user',
    (instruction) => {
      const questions = ['what is my name?', 'what do I prefer?', 'what is my order?']
      for (const question of questions) expect(later(system(instruction), user(question))).toMatch(/^I do not know/)
    },
  )
})

describe('what it can be told to say', () => {
  test('it echoes to the letter', () => {
    expect(later(user('echo  two  spaces,\n\ttabs 🙂 and what is my name?'))).toBe(
      ' two  spaces,\n\ttabs 🙂 and what is my name?',
    )
  })

  test('it counts', () => {
    expect(later(user('count to 5'))).toBe('1 2 3 4 5')
  })

  test('it says nothing, even first', () => {
    expect(answerTo(user('say nothing'))).toBe('')
  })

  test.each([
    ['slow 5000', 'This answer took 5000 ms, as you asked.', 5000],
    ['slow 70 some words', 'some words', 70],
    ['say slowly some words', 'some words', 3000],
  ])('"%s" is spread over time', (words, text, spreadOverMs) => {
    const messages = [user('Hi'), assistant('Hello'), user(words)]
    expect(reply({ model: chatModel, messages })).toEqual({ kind: 'answer', text, ending: 'finished', spreadOverMs })
  })

  test('trouble must be asked for in the last message, and in so many words', () => {
    expect(reply({ model: chatModel, messages: [user('fail'), assistant('…'), user('Hi')] }).kind).toBe('answer')
    expect(reply({ model: chatModel, messages: [user('why did it fail')] }).kind).toBe('answer')
    expect(reply({ model: chatModel, messages: [user('Fail.')] }).kind).toBe('refusal')
  })
})
