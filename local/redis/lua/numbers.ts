// Lua 5.1 has one kind of number, a double; fengari is Lua 5.3 and adds 32-bit integers, in which a timestamp overflows.
import lobject from 'fengari/src/lobject.js'
import lstring from 'fengari/src/lstring.js'

/** C's `%.<precision>g`, by which Lua 5.1 (14) and redis.call (17) print numbers. */
export function formatG(value: number, precision: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0'
  const [mantissa = '', exponentText = '0'] = value.toExponential(precision - 1).split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < precision) return trimZeros(value.toFixed(precision - 1 - exponent))
  const digits = String(Math.abs(exponent)).padStart(2, '0')
  return `${trimZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`
}

const trimZeros = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

let patched = false

/** Makes every numeral a double, and prints doubles as Lua 5.1 does: `10/2` is `5`, not `5.0`. */
export function keepNumbersDouble(): void {
  if (patched) return
  patched = true
  const readNumeral = lobject.luaO_str2num
  lobject.luaO_str2num = (text, slot) => {
    const size = readNumeral(text, slot)
    // The value is read again from the text: as a 32-bit integer it has wrapped already when it was too large.
    if (size !== 0 && slot.ttisinteger()) slot.setfltvalue(parseInteger(Buffer.from(text).toString('latin1')))
    return size
  }
  const printNumber = lobject.luaO_tostring
  lobject.luaO_tostring = (state, slot) => {
    if (slot.ttisnumber() && typeof slot.value === 'number')
      slot.setsvalue(lstring.luaS_bless(state, Buffer.from(formatG(slot.value, 14))))
    else printNumber(state, slot)
  }
}

function parseInteger(text: string): number {
  const [, sign = '', digits = ''] = /^\s*([-+]?)(\w+)/.exec(text) ?? []
  return (sign === '-' ? -1 : 1) * Number(digits)
}
