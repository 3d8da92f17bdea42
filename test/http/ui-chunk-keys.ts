// The keys that ai 5.0.0, the strictest client, allows in each chunk that we send; it refuses a stream with any other.
import { expect } from 'vitest'
import type { UiChunk } from '../../src/http/ui-chunks.ts'

const keys: Readonly<Record<string, readonly string[]>> = {
  start: ['messageId', 'messageMetadata'],
  'start-step': [],
  'finish-step': [],
  'text-start': ['id'],
  'text-delta': ['id', 'delta'],
  'text-end': ['id'],
  'tool-input-start': ['toolCallId', 'toolName'],
  'tool-input-delta': ['toolCallId', 'inputTextDelta'],
  'tool-input-available': ['toolCallId', 'toolName', 'input'],
  'tool-output-available': ['toolCallId', 'output'],
  'tool-output-error': ['toolCallId', 'errorText'],
  data: ['data'],
  'message-metadata': ['messageMetadata'],
  error: ['errorText'],
  abort: [],
  finish: ['messageMetadata'],
}

/** Types and keys of old clients, begins before ends, and one end. */
export function expectReadable(chunks: readonly UiChunk[]): void {
  for (const { type, ...rest } of chunks) {
    const allowed = keys[type.startsWith('data-') ? 'data' : type]
    expect(allowed, type).toBeDefined()
    expect(Object.keys(rest).sort()).toEqual([...(allowed ?? [])].sort())
  }
  expect(chunks[0]?.type).toBe('start')
  expect(chunks.filter(({ type }) => ['finish', 'error', 'abort'].includes(type))).toHaveLength(1)
  expect(['finish', 'error', 'abort']).toContain(chunks.at(-1)?.type)
  expectOrder(chunks)
}

function expectOrder(chunks: readonly UiChunk[]): void {
  const texts = new Set<string>()
  const calls = new Set<string>()
  for (const chunk of chunks) {
    if (chunk.type === 'finish-step') expect([...texts]).toEqual([])
    if (chunk.type === 'text-start') texts.add(chunk.id)
    if (chunk.type === 'text-delta') expect(texts).toContain(chunk.id)
    if (chunk.type === 'text-end') expect(texts.delete(chunk.id)).toBe(true)
    if (chunk.type === 'tool-input-start') calls.add(chunk.toolCallId)
    else if ('toolCallId' in chunk) expect(calls).toContain(chunk.toolCallId)
  }
}
