// Which addresses of others this program calls: public ones over https, so that nobody makes it knock at doors inside.
import { RecollectError } from './errors.ts'

/** Names that no public name server answers for. */
const inside = /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa|test|invalid|onion)$/

/**
 * Throws `input_invalid`, saying why, for anything but `https:` to a public name or address. A name is not looked up: a Worker
 * cannot. `anywhere`, of the local stack, allows all that is http or https.
 */
export function assertPublicUrl(text: string, { anywhere = false }: { readonly anywhere?: boolean } = {}): void {
  // The parser turns every notation of an IPv4 address (decimal, octal, hexadecimal, short) into the usual one.
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.length > 2_048) throw refused('is not a URL of at most 2,048 characters')
  if (url.username !== '' || url.password !== '') throw refused('has a user name or a password in it')
  if (anywhere && url.protocol === 'http:') return
  if (url.protocol !== 'https:') throw refused('does not begin with https://')
  if (anywhere) return
  if (!isPublic(url.hostname)) throw refused('leads to an address that is not public')
}

function isPublic(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicSix(hostname.slice(1, -1))
  const name = hostname.replace(/\.+$/, '')
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return isPublicFour(name.split('.').map(Number))
  return name.includes('.') && !inside.test(name)
}

/** Not: this network, private, shared, loopback, link-local (where clouds keep their metadata), protocol, test, multicast and reserved. */
function isPublicFour([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false
  if (a === 100 && b >= 64 && b < 128) return false
  if (a === 169 && b === 254) return false
  if (a === 172 && b >= 16 && b < 32) return false
  if (a === 192) return !(b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))
  if (a === 198) return !(b === 18 || b === 19 || (b === 51 && c === 100))
  return !(a === 203 && b === 0 && c === 113)
}

/** Global unicast alone, without the ranges in it that carry other addresses or lead nowhere. */
function isPublicSix(address: string): boolean {
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const start = groups(head)
  const end = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - start.length - end.length }, () => '0')
  const [first = 0, second = 0] = [...start, ...(tail === undefined ? [] : zeros), ...end].map((group) =>
    Number.parseInt(group, 16),
  )
  if (first < 0x2000 || first > 0x3fff) return false
  if (first === 0x2001) return second >= 0x200 && second !== 0xdb8
  return first !== 0x2002 && first !== 0x3fff
}

function refused(why: string): RecollectError {
  return new RecollectError('input_invalid', `The URL ${why}. Webhooks go to https:// and a public host.`)
}
