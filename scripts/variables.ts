// Settings for scripts: those of a file, under those of the environment.
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'

/** A file that is not there has no settings. */
export async function variablesFrom(file: string): Promise<NodeJS.Dict<string>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return { ...parseEnv(text), ...process.env }
}
