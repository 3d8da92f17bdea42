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
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new SyntaxError('not base64')
  return new Uint8Array(Buffer.from(text, 'base64'))
}
