// Text for messages.
import { randomIntegers } from './random.ts'

/** Text that compresses as badly as words do, the same every time. */
export function wordsFrom(seed: number): (length: number) => string {
  const random = randomIntegers(seed)
  return (length) => {
    let text = ''
    while (text.length < length) text += `${random().toString(36)} `
    return text.slice(0, length)
  }
}
