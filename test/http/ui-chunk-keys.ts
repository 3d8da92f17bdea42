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
  data: ['data', 'id'],
  'message-metadata': ['messageMetadata'],
  error: ['errorText'],
  abort: [],
  finish: ['messageMetadata'],
}

/** The same of ai 6.0.0. */
const keysOfApprovals: typeof keys = {
  'tool-approval-request': ['approvalId', 'toolCallId'],
  'tool-output-denied': ['toolCallId'],
}

interface Readable {
  /** By ai 6 and later, which know approvals. */
  readonly approvals?: boolean
  /** Calls that the page has already. */
  readonly calls?: readonly string[]
}

/** Types and keys of old clients, begins before ends, and one end. */
export function expectReadable(chunks: readonly UiChunk[], { approvals = false, calls = [] }: Readable = {}): void {
  for (const { type, ...rest } of chunks) {
    const allowed = { ...keys, ...(approvals && keysOfApprovals) }[type.startsWith('data-') ? 'data' : type]
    expect(allowed, type).toBeDefined()
    const expected = (allowed ?? []).filter((key) => key !== 'id' || !type.startsWith('data-') || 'id' in rest)
    expect(Object.keys(rest).sort()).toEqual([...expected].sort())
  }
  expect(chunks[0]?.type).toBe('start')
  expect(chunks.filter(({ type }) => ['finish', 'error', 'abort'].includes(type))).toHaveLength(1)
  expect(['finish', 'error', 'abort']).toContain(chunks.at(-1)?.type)
  expectOrder(chunks, new Set(calls))
}

function expectOrder(chunks: readonly UiChunk[], calls: Set<string>): void {
  const texts = new Set<string>()
  for (const chunk of chunks) {
    if (chunk.type === 'finish-step') expect([...texts]).toEqual([])
    if (chunk.type === 'text-start') texts.add(chunk.id)
    if (chunk.type === 'text-delta') expect(texts).toContain(chunk.id)
    if (chunk.type === 'text-end') expect(texts.delete(chunk.id)).toBe(true)
    if (chunk.type === 'tool-input-start') calls.add(chunk.toolCallId)
    else if ('toolCallId' in chunk) expect(calls).toContain(chunk.toolCallId)
  }
}
