// Which addresses are called: public ones, in whatever notation the others come.
import { describe, expect, test } from 'vitest'
import { assertPublicUrl } from '../../src/kernel/public-url.ts'

const refused = [
  'http://example.com/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'example.com',
  '',
  'https://',
  'https://user@example.com/',
  'https://user:secret@example.com/',
  'https://:secret@example.com/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://api.localhost/',
  'https://printer.local/',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://metadata/',
  'https://intranet/',
  'https://db.corp/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0177.0.0.1/',
  'https://127.0.0.1./',
  'https://%31%32%37.0.0.1/',
  'https://１２７.0.0.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2852039166/',
  'https://100.64.0.1/',
  'https://100.100.100.200/',
  'https://192.0.0.192/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://198.51.100.1/',
  'https://203.0.113.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://[::1]/',
  'https://[::]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001::1]/',
  'https://[2001:db8::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
  'https://[fec0::1]/',
  'https://[ff02::1]/',
  `https://example.com/${'x'.repeat(2_048)}`,
]

const allowed = [
  'https://example.com/hooks?a=b',
  'https://example.com:8443/',
  'https://localhost.example.com/',
  'https://internal.example.com/',
  'https://8.8.8.8/',
  'https://172.32.0.1/',
  'https://100.128.0.1/',
  'https://192.1.1.1/',
  'https://[2606:4700::1111]/',
  'https://[2001:4860:4860::8888]/',
  'https://münchen.example/',
]

describe('refused is', () => {
  test.each(refused)('%s', (url) => {
    expect(() => assertPublicUrl(url)).toThrow(expect.objectContaining({ code: 'input_invalid' }))
  })
})

describe('called is', () => {
  test.each(allowed)('%s', (url) => {
    expect(() => assertPublicUrl(url)).not.toThrow()
  })
})

test('the local stack calls this machine too, and still nothing but http and https', () => {
  for (const url of ['http://127.0.0.1:8788/hook', 'https://localhost/', 'http://[::1]/', 'https://example.com/'])
    expect(() => assertPublicUrl(url, { anywhere: true })).not.toThrow()
  for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'http://user@127.0.0.1/', 'nothing'])
    expect(() => assertPublicUrl(url, { anywhere: true })).toThrow()
})

test('what is refused is not repeated: a URL may hold a secret', () => {
  expect(() => assertPublicUrl('https://user:hunter2@example.com/')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})
