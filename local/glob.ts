// Glob patterns, as Redis and Upstash Vector have them, as regular expressions: * ? [abc] [^a-z] and \ before a character
// that means itself.

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')

export function glob(pattern: string): (text: string) => boolean {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at)
    // A run of stars is one star: a regular expression would try every way to split the text among them.
    if (character === '*') source += source.endsWith('.*') && pattern[at - 1] === '*' ? '' : '.*'
    else if (character === '?') source += '.'
    else if (character === '\\' && at + 1 < pattern.length) source += literal(pattern.charAt(++at))
    else if (character === '[') {
      const set = characterClass(pattern, at + 1)
      source += set.source
      at = set.end
    } else source += literal(character)
  }
  const expression = new RegExp(`^${source}$`, 's')
  return (text) => expression.test(text)
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
