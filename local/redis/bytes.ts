// Byte strings: one character per byte. They compare, slice and key a Map as Redis strings do, whatever the text is.
export type Bytes = string

export const fromText = (text: string): Bytes => Buffer.from(text, 'utf8').toString('latin1')

/** Bytes that are no UTF-8 come out as U+FFFD, as they would in any JSON reply. */
export const toText = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString('utf8')

export const toBase64 = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString('base64')
