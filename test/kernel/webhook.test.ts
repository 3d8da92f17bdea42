// Signatures of webhooks: that of the specification's own example, and what is refused.
import { describe, expect, test } from 'vitest'
import { isWebhookSecret, signWebhook, verifyWebhook } from '../../src/kernel/webhook.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
// From the reference implementations' tests.
const known = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', nowMs: 1_614_265_330_000 }
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const bytes = (text: string) => new TextEncoder().encode(text)

function verified(headers: Record<string, string>, body = known.body, secrets = [secret], nowMs = known.nowMs) {
  return verifyWebhook(new Headers(headers), bytes(body), secrets, nowMs)
}

const headers = { ...signWebhook(known, [secret]) }

test('the signature of a known message is the known one', () => {
  expect(headers).toEqual({ 'webhook-id': known.id, 'webhook-timestamp': '1614265330', 'webhook-signature': signature })
  expect(verified(headers)).toBe(known.id)
})

test('while a secret is replaced, either of the two is good', () => {
  const both = { ...signWebhook(known, [secret, other]) }
  expect(both['webhook-signature'].split(' ')).toHaveLength(2)
  expect(verified(both, known.body, [secret])).toBe(known.id)
  expect(verified(both, known.body, [other])).toBe(known.id)
  expect(verified(headers, known.body, [other, secret])).toBe(known.id)
  expect(verified({ ...headers, 'webhook-signature': `v1a,xyz v2,abc ${signature}` })).toBe(known.id)
})

describe('refused is', () => {
  const forms: Record<string, () => unknown> = {
    'another body': () => verified(headers, '{"test": 2432232315}'),
    'another key': () => verified(headers, known.body, [other]),
    'no key': () => verified(headers, known.body, []),
    'another id': () => verified({ ...headers, 'webhook-id': 'msg_other' }),
    'another timestamp': () => verified({ ...headers, 'webhook-timestamp': '1614265331' }),
    'a stale one': () => verified(headers, known.body, [secret], known.nowMs + 301_000),
    'one from the future': () => verified(headers, known.body, [secret], known.nowMs - 301_000),
    'a timestamp that is none': () => verified({ ...headers, 'webhook-timestamp': '1e9' }),
    'a signature that is none': () => verified({ ...headers, 'webhook-signature': 'v1,' }),
    'another scheme': () => verified({ ...headers, 'webhook-signature': signature.replace('v1', 'v2') }),
    'an id with a dot, which moves the cut': () => {
      const { 'webhook-timestamp': timestamp } = headers
      const moved = { id: `a.${timestamp}`, body: known.body, nowMs: known.nowMs }
      return verified({ ...signWebhook(moved, [secret]) })
    },
    'a header that came twice': () => {
      const twice = new Headers(headers)
      twice.append('webhook-id', known.id)
      return verifyWebhook(twice, bytes(known.body), [secret], known.nowMs)
    },
    'a signature header that came twice': () => {
      const twice = new Headers({ ...headers, 'webhook-signature': 'v1,AAAA' })
      twice.append('webhook-signature', 'v1,BBBB')
      return verifyWebhook(twice, bytes(known.body), [secret], known.nowMs)
    },
  }
  for (const missing of Object.keys(headers)) {
    forms[`one without ${missing}`] = () =>
      verified(Object.fromEntries(Object.entries(headers).filter(([name]) => name !== missing)))
  }

  test.each(Object.entries(forms))('%s', (_, form) => {
    expect(form).toThrow(expect.objectContaining({ code: 'signature_invalid' }))
  })
})

test('a secret has 24 to 64 bytes of base64 behind whsec_', () => {
  expect([secret, other].map(isWebhookSecret)).toEqual([true, true])
  const wrong = ['', 'whsec_', 'whsec_short', secret.slice(6), `whsec_${'!'.repeat(40)}`, `whsec_${'A'.repeat(100)}`]
  expect(wrong.map(isWebhookSecret)).toEqual(wrong.map(() => false))
})
