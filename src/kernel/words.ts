// The words of a text as they are compared, in one spelling and in any script; and how near two texts are by those that tell
// something: enough where no search engine is at hand.

/** Of what is written several ways: without accents, and as others write it who do not have the letter. */
const plainer: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  '’': "'",
}
/** What an apostrophe ties to an English word: "it's", "don't", "we'll". */
const tied = /(?:n't|'(?:s|m|d|ll|re|ve))(?![\p{L}\p{M}\p{N}])/gu
/** Scripts that put no spaces between words, or put endings to them that change. */
const unspaced =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]'
const runs = new RegExp(`[[\\p{L}\\p{M}\\p{N}]--${unspaced}]+|[[\\p{L}\\p{M}\\p{N}]&&${unspaced}]+`, 'gv')
const isUnspaced = new RegExp(`^${unspaced}`, 'v')

/** In the order of the text. Of a script without spaces, each two letters that stand together are one. `schema.sql` does the same. */
export function spelledWords(text: string): readonly string[] {
  const bare = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
  const plain = bare.replace(/[ßæœøłđı’]/g, (letter) => plainer[letter] ?? letter).replace(tied, '')
  return (plain.match(runs) ?? []).flatMap((run) => (isUnspaced.test(run) ? pairs(run) : run))
}

function pairs(run: string): string | readonly string[] {
  const letters = [...run]
  return letters.length === 1 ? run : letters.slice(1).map((letter, index) => `${letters[index]}${letter}`)
}

const unsaid = new Set(
  'a an and are as at be but by did do does for from had has have he her his how i in is it its me my of on or our she that the their them they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
)

/** Without what says nothing, and without the usual endings. */
export function wordsIn(text: string): readonly string[] {
  const words = spelledWords(text).map(stem)
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
