// How Redis reads and prints numbers: 64-bit integers, doubles, and decimals that add without binary error.
import type { Bytes } from './bytes.ts'
import { ReplyError } from './reply.ts'

const integerPattern = /^(?:0|-?[1-9]\d*)$/
const floatPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const infinityPattern = /^([+-]?)inf(?:inity)?$/i

export const maxInt64 = 2n ** 63n - 1n
export const minInt64 = -(2n ** 63n)

export const notAnInteger = 'ERR value is not an integer or out of range'
export const notAFloat = 'ERR value is not a valid float'

export function int64(text: Bytes, message = notAnInteger): bigint {
  // 20 characters hold every 64-bit integer; longer text must not reach BigInt, which is slow on megabytes.
  const value = text.length <= 20 && integerPattern.test(text) ? BigInt(text) : undefined
  if (value === undefined || value > maxInt64 || value < minInt64) throw new ReplyError(message)
  return value
}

/** For counts, indexes and times, where 2^53 is far enough. */
export const integer = (text: Bytes, message = notAnInteger): number => Number(int64(text, message))

/** As `integer`, and not below zero. */
export function count(text: Bytes, message = 'ERR value is out of range, must be positive'): number {
  const value = integer(text, message)
  if (value < 0) throw new ReplyError(message)
  return value
}

export function float(text: Bytes, message = notAFloat): number {
  const infinity = infinityPattern.exec(text)
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity
  if (!floatPattern.test(text)) throw new ReplyError(message)
  return Number(text)
}

/** The shortest text that reads back as the same double, as Redis prints scores since 7.2. */
export function formatFloat(value: number): Bytes {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  return value > 0 ? 'inf' : '-inf'
}

/** INCRBYFLOAT: 0.1 + 0.2 is 0.3, to 17 decimals, because Redis adds long doubles where we have none. */
export function addDecimals(left: Bytes, right: Bytes, message = notAFloat): Bytes {
  const sum = float(left, message) + float(right)
  if (!Number.isFinite(sum)) throw new ReplyError('ERR increment would produce NaN or Infinity')
  const [a, b] = [scaled(left), scaled(right)]
  const scale = a.scale > b.scale ? a.scale : b.scale
  const total = a.digits * 10n ** BigInt(scale - a.scale) + b.digits * 10n ** BigInt(scale - b.scale)
  return printScaled(total, scale)
}

function scaled(text: Bytes): { digits: bigint; scale: number } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const scale = fraction.length - Number(exponent)
  const digits = BigInt((whole + fraction).replace('+', '') || '0')
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale }
}

function printScaled(total: bigint, scale: number): Bytes {
  const sign = total < 0n ? '-' : ''
  const digits = String(total < 0n ? -total : total).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale, digits.length - scale + 17).replace(/0+$/, '')
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
