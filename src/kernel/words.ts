// The telling words of a text, and how near two texts are by them: enough where no search engine is at hand.

const unsaid = new Set(
  'a an and are as at be but by did do does for from had has have he her his how i in is it its me my of on or our she that the their them they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
)

/** Without what says nothing, and without the usual endings. */
export function wordsIn(text: string): readonly string[] {
  const words = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stem)
  const telling = words.filter((word) => !unsaid.has(word))
  return telling.length === 0 ? words : telling
}

/** Above 0 when a word of the query is in the text: more for more words, and for a shorter text. */
export function nearness(query: readonly string[], text: string): number {
  const words = wordsIn(text)
  const found = new Set(query.filter((word) => words.includes(word)))
  return found.size === 0 ? 0 : found.size / query.length / (1 + Math.log(1 + words.length) / 10)
}

function stem(word: string): string {
  return word.length > 4 ? word.replace(/(ing|ed|es|e|s)$/, '') : word.length > 3 ? word.replace(/s$/, '') : word
}
