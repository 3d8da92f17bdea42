// The whole grammar of metadata filters, one line a rule.
import { describe, expect, it } from 'vitest'
import { filterOf } from '../../../local/vector/filter.ts'
import { VectorError } from '../../../local/vector/vector-error.ts'
import { forSeeds } from '../../kernel/random.ts'

const istanbul = {
  city: 'Istanbul',
  country: 'Turkey',
  is_capital: false,
  is_large: true,
  population: 15460000,
  zero: 0,
  nothing: null,
  has: 'a field called has',
  'kebab-case': 'yes',
  quoted: `it's`,
  spoken: 'say "hi"',
  geography: { continent: 'Asia', coordinates: { latitude: 41.0082, longitude: -28.9784 } },
  economy: {
    currency: 'TRY',
    major_industries: ['Tourism', 'Textiles', 'Finance'],
    mixed: ['x', 1, true, null, { y: 1 }],
    matrix: [[1, 2], [3]],
    people: [{ name: 'Ada' }, { name: 'Alan' }],
  },
}

const holds = (filter: string) => filterOf(filter)(istanbul)

describe.each<[string, string[], string[]]>([
  [
    '= and != of texts, numbers and booleans',
    ["city = 'Istanbul'", 'city = "Istanbul"', 'population = 15460000', 'population = 1.546e7', 'is_capital = false'],
    ["city = 'istanbul'", "city = ''", 'population = 1', 'is_capital = true', "population = '15460000'"],
  ],
  [
    'booleans are 1 and 0 (F2)',
    ['is_capital = 0', 'is_large = 1', 'is_large = TRUE', 'zero = false', 'is_capital != true', 'is_large != 0'],
    ['is_capital = 1', 'is_large = 0', 'is_large != 1', "is_large = 'true'"],
  ],
  [
    '!= asks for a text, number or boolean that is there (F1)',
    ["city != 'Ankara'", 'city != 7', 'population != 7'],
    ["city != 'Istanbul'", 'missing != 1', 'nothing != 1', 'geography != 1', 'economy.major_industries != 1'],
  ],
  [
    '< <= > >= compare numbers only',
    ['population > 15459999', 'population >= 15460000', 'population<15460001', 'population <= 15460000', 'zero > -.5'],
    ['population > 15460000', 'population < 1', 'city > 1', 'is_large > 0', 'missing < 1', 'nothing < 1'],
  ],
  [
    'GLOB',
    [
      "city GLOB 'Ist*'",
      "city GLOB '*'",
      "city GLOB '?stanbul'",
      "city GLOB '?[sz]*[^m-z]'",
      "city GLOB '[A-Z]*'",
      "city NOT GLOB 'A*'",
      'spoken GLOB \'*"hi"\'',
    ],
    ["city GLOB 'ist*'", "city GLOB 'Ist'", "city GLOB '[^I]*'", "city NOT GLOB 'I*'", "population GLOB '*'"],
  ],
  [
    'a negated GLOB asks for a text (F1)',
    ["has NOT GLOB 'b*'"],
    ["missing NOT GLOB 'b*'", "population NOT GLOB 'b*'", "nothing NOT GLOB 'b*'"],
  ],
  [
    'IN and NOT IN',
    [
      "country IN ('Germany', 'Turkey')",
      "country in ('Turkey')",
      'population IN (1, 15460000)',
      'is_capital IN (false)',
      "economy.currency NOT IN ('USD', 'EUR')",
    ],
    [
      "country IN ('turkey')",
      "country NOT IN ('Turkey')",
      "missing IN ('x')",
      "missing NOT IN ('x')",
      'nothing NOT IN (1)',
    ],
  ],
  [
    'CONTAINS and NOT CONTAINS',
    [
      "economy.major_industries CONTAINS 'Tourism'",
      "economy.major_industries NOT CONTAINS 'Steel'",
      'economy.mixed CONTAINS 1',
      'economy.mixed CONTAINS true',
    ],
    [
      "economy.major_industries CONTAINS 'tour'",
      "economy.major_industries NOT CONTAINS 'Tourism'",
      "city CONTAINS 'Ist'",
      "city NOT CONTAINS 'x'",
      "missing NOT CONTAINS 'x'",
    ],
  ],
  [
    'HAS FIELD and HAS NOT FIELD',
    [
      'HAS FIELD city',
      'has field geography.coordinates',
      'HAS NOT FIELD missing',
      'HAS FIELD nothing',
      "has = 'a field called has'",
    ],
    [
      'HAS FIELD missing',
      'HAS NOT FIELD city',
      'HAS FIELD geography.missing',
      'HAS FIELD toString',
      'HAS FIELD __proto__',
    ],
  ],
  [
    'nested keys',
    ["geography.continent = 'Asia'", 'geography.coordinates.longitude < -28', "kebab-case = 'yes'"],
    ["geography.missing.continent = 'Asia'", "geography = 'Asia'", "constructor.name = 'Object'", 'city.length = 8'],
  ],
  [
    'places of a list',
    [
      "economy.major_industries[0] = 'Tourism'",
      "economy.major_industries[#-1] = 'Finance'",
      "economy.major_industries[#-3] = 'Tourism'",
      'economy.matrix[0][1] = 2',
      'economy.matrix[#-1][0] = 3',
      "economy.people[1].name = 'Alan'",
    ],
    [
      "economy.major_industries[3] = 'Tourism'",
      "economy.major_industries[#-4] = 'Tourism'",
      "economy.major_industries[#-0] = 'Tourism'",
      "city[0] = 'I'",
      'HAS FIELD economy.major_industries[3]',
    ],
  ],
  [
    'AND binds tighter than OR, brackets tighter than both',
    [
      "city = 'Istanbul' OR city = 'x' AND population = 1",
      "population = 1 AND city = 'x' OR is_capital = 0",
      "(city = 'Istanbul' OR city = 'x') and (population > 1)",
      "((city = 'Istanbul'))",
      "city='Istanbul'AND population>1",
      "\n\tcity = 'Istanbul'\n",
    ],
    ["(city = 'Istanbul' OR city = 'x') AND population = 1", "city = 'x' OR city = 'y'"],
  ],
  ['quotes of the other kind', [`quoted = "it's"`, `spoken = 'say "hi"'`, `city != "\\"`], [`quoted = 'its'`]],
])('%s', (_rule, yes, no) => {
  it.each(yes)('%s: holds', (filter) => expect(holds(filter)).toBe(true))
  it.each(no)('%s: does not hold', (filter) => expect(holds(filter)).toBe(false))
})

it.each([
  ["city = 'Istanbul", 'unexpected "\'" at position 7'],
  ['city = Istanbul', 'expected a literal, found "Istanbul" at position 7'],
  ["city = 'it''s'", 'expected AND, OR or the end, found "s" at position 11'],
  ["city == 'x'", 'expected a literal, found "=" at position 6'],
  ['city', 'expected an operator, found the end at position 4'],
  ["'city' = 1", 'expected a field, found "city" at position 0'],
  ['1 = 1', 'expected a field, found "1" at position 0'],
  ['a = 1 AND', 'expected a field, found the end at position 9'],
  ['a = 1 OR OR b = 1', 'expected an operator'],
  ['(a = 1', 'expected ), found the end at position 6'],
  ['a = 1)', 'expected AND, OR or the end, found ")" at position 5'],
  ["a < 'x'", 'expected a number, found "x" at position 4'],
  ['a GLOB 1', 'expected a quoted text, found "1" at position 7'],
  ['a IN ()', 'expected a literal, found ")" at position 6'],
  ["a IN 'x'", 'expected (, found "x" at position 5'],
  ['a IN (1, 2', 'expected , or ), found the end at position 10'],
  ['a NOT = 1', 'expected GLOB, IN or CONTAINS, found "=" at position 6'],
  ['NOT a = 1', 'expected an operator, found "a" at position 4'],
  ['HAS FIELD 1', 'expected a field, found "1" at position 10'],
  ['a..b = 1', 'expected a field, found "a..b" at position 0'],
  ['a[ = 1', 'expected a field, found "a[" at position 0'],
  ['a[-1] = 1', 'expected a field, found "a[-1]" at position 0'],
  ['a:b = 1', 'unexpected ":" at position 1'],
  ['a = 1; b', 'unexpected ";" at position 5'],
  ['é = 1', 'unexpected "é" at position 0'],
  [`${'('.repeat(100_000)}a = 1`, 'more than 100 brackets'],
])('%j is refused', (filter, problem) => {
  expect(() => filterOf(filter)).toThrow(`Invalid filter: ${problem}`)
})

it('of a row without metadata nothing holds but that a field is missing', () => {
  expect(filterOf('a = 1 OR a != 1')(undefined)).toBe(false)
  expect(filterOf('HAS NOT FIELD a')(undefined)).toBe(true)
})

it('a pattern of many stars takes no longer for it', () => {
  const stars = filterOf(`a GLOB '${'*a'.repeat(30)}*b'`)
  const before = process.cpuUsage()
  expect(stars({ a: 'a'.repeat(20_000) })).toBe(false)
  expect(stars({ a: `${'xa'.repeat(30)}b` })).toBe(true)
  expect(filterOf(`a GLOB '${'*'.repeat(40)}[bc]?*d*'`)({ a: 'abcde' })).toBe(true)
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000)
})

it('whatever is thrown at it, it is a filter or a 400, and a filter answers', () => {
  const pieces = [
    'a',
    'a.b',
    'a[0]',
    'a[#-1]',
    '__proto__',
    '=',
    '!=',
    '<',
    '>=',
    'AND',
    'or',
    'NOT',
    'IN',
    'GLOB',
    'CONTAINS',
    'HAS',
    'FIELD',
    '(',
    ')',
    ',',
    "'x'",
    '"y"',
    "'[a-'",
    "'*?[^'",
    '1',
    '-2.5e3',
    'true',
    "'",
    '"',
    '\\',
    ';',
    '--',
    '/*',
    '$',
    '\0',
    'é',
    '😀',
    '#',
    '[',
    ']',
  ] as const
  let filters = 0
  forSeeds(20_000, (random) => {
    const noise = () =>
      Array.from({ length: 1 + random.int(8) }, () => random.pick(pieces)).join(random.pick([' ', '']))
    const condition = () =>
      `${random.pick(['a', 'a.b', 'a[0]'])} ${random.pick(['=', '!=', '<', 'GLOB', 'not in', 'CONTAINS'])} ${random.pick(["'x*'", '1', '(1)', 'true'])}`
    const text = random.chance(0.5) ? noise() : `${condition()} ${random.pick(['AND', 'OR', ')', ''])} ${condition()}`
    try {
      const filter = filterOf(text)
      filters += 1
      for (const a of [undefined, 'x', 1, true, null, [1, 'x'], { b: 'y' }])
        expect(typeof filter({ a })).toBe('boolean')
    } catch (error) {
      if (!(error instanceof VectorError) || error.status !== 400) throw error
    }
  })
  expect(filters).toBeGreaterThan(100)
})
