// One guard taken away, and the tests that must notice.

export interface Mutant {
  /** What is taken away, in words. */
  readonly guard: string
  /** From the project's root. */
  readonly file: string
  /** In schema.sql: the function without its version. Its newest version is changed. */
  readonly within?: string
  /** Must be there once. */
  readonly find: string
  readonly replace: string
  /** The file that is run. */
  readonly tests: string
  /** One of these must fail; beginnings of names will do. */
  readonly killedBy: readonly string[]
  /** Why no test can notice: what the guard refuses is refused by others too. Such a mutant must survive. */
  readonly redundant?: string
}

/** The text of the file without the guard. Throws when the guard is not where it is said to be. */
export function mutated(text: string, { guard, file, within, find, replace }: Mutant): string {
  const [start, end] = within === undefined ? [0, text.length] : newestOf(text, within)
  const part = text.slice(start, end)
  const count = part.split(find).length - 1
  if (count !== 1)
    throw new Error(`Mutant "${guard}" is out of date: its text is ${count} times in ${within ?? file}, not once.`)
  return text.slice(0, start) + part.replace(find, () => replace) + text.slice(end)
}

/** Where the newest version of a SQL function stands. */
function newestOf(schema: string, name: string): [number, number] {
  const versions = [...schema.matchAll(new RegExp(`create or replace function recollect\\.${name}_v(\\d+)\\(`, 'g'))]
  const newest = versions.toSorted((a, b) => Number(b[1]) - Number(a[1]))[0]
  if (newest === undefined) throw new Error(`schema.sql has no function ${name}.`)
  const end = schema.indexOf('\n\n', schema.indexOf('$$;', newest.index) - 1)
  return [newest.index, end < 0 ? schema.length : end]
}
