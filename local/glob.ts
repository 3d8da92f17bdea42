// Glob patterns, as Redis and Upstash Vector have them, as regular expressions: * ? [abc] [^a-z] and \ before a character
// that means itself.

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')

export function glob(pattern: string): (text: string) => boolean {
  /** What lies between the stars: each part matches texts of one length. */
  const parts = ['']
  const add = (source: string) => parts.push(`${parts.pop()}${source}`)
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    if (character === '*') parts.push('')
    else if (character === '?') add('.')
    else if (character === '\\' && at + 1 < pattern.length) add(literal(pattern.charAt(++at)))
    else if (character === '[') {
      const set = characterClass(pattern, at + 1)
      add(set.source)
      at = set.end
    } else add(literal(character))
  }
  const expression = new RegExp(`^${joined(parts)}$`, 's')
  return (text) => expression.test(text)
}

/**
 * A part between two stars may as well be where it comes first. A lookahead never tries another place, so that its text,
 * taken back by its number, keeps a pattern of many stars from trying every way to split the text among them.
 */
function joined([first = '', ...rest]: readonly string[]): string {
  const last = rest.pop()
  if (last === undefined) return first
  return `${first}${rest.map((part, at) => `(?=(.*?${part}))\\${at + 1}`).join('')}.*${last}`
}

/** `end` is the place of the closing bracket, or of the last character where there is none. */
function characterClass(pattern: string, start: number): { source: string; end: number } {
  const negated = pattern[start] === '^'
  let source = ''
  let at = negated ? start + 1 : start
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) source += literal(pattern.charAt(++at))
    else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const ends = [pattern.charAt(at), pattern.charAt(at + 2)].sort()
      source += ends.map(literal).join('-')
      at += 2
    } else source += literal(pattern.charAt(at))
  }
  if (source === '') return { source: negated ? '.' : '(?!)', end: at }
  return { source: `[${negated ? '^' : ''}${source}]`, end: at }
}
