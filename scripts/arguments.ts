// What a script was called with, or in two lines what is wrong with it: never a stack, and nothing is done.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** Ends the process where a script was called otherwise than `usage` says. */
export function argumentsOf<Options extends ParseArgsOptionsConfig>(usage: string, options: Options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\nUsage: ${usage}\n`)
    process.exit(1)
  }
}
