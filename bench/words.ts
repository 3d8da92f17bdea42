// Text for messages.

/** Text that compresses as badly as words do, the same every time. */
export function wordsFrom(seed: number): (length: number) => string {
  let state = seed
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state
  }
  return (length) => {
    let text = ''
    while (text.length < length) text += `${random().toString(36)} `
    return text.slice(0, length)
  }
}
