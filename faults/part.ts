// What every part of the harness is given, and what it gives back.

export interface PartOptions {
  readonly seeds: number
  /** Of mutants, those alone whose file of tests has this in its name. */
  readonly only?: string | undefined
  /** A line for people, on standard error. */
  readonly say: (line: string) => void
}

export type Figures = Readonly<Record<string, unknown>>

export type Part = (options: PartOptions) => Promise<Figures>

/** Thrown where a part cannot be measured on this machine, with what to do about it. */
export class Skipped extends Error {}
