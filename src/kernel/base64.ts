// Bytes as base64: the engine's own functions where it has them (workerd: 1 ms against 95 ms for 1.6 MB by atob), Buffer else.

interface NativeBase64 {
  fromBase64?: (text: string) => Uint8Array<ArrayBuffer>
}

export function base64Of(bytes: Uint8Array): string {
  const native = (bytes as { toBase64?: () => string }).toBase64
  return native === undefined ? Buffer.from(bytes).toString('base64') : native.call(bytes)
}

/** Throws on text that is not base64. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as NativeBase64).fromBase64
  if (native !== undefined) return native.call(Uint8Array, text)
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  // A buffer passes over what is not base64, and then it is shorter; it takes the two letters of base64url for those of base64.
  const letters = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)
  const whole = letters % 4 !== 1 && bytes.length === Math.floor((letters * 3) / 4)
  if (!whole || text.includes('-') || text.includes('_')) throw new SyntaxError('not base64')
  return bytes
}
