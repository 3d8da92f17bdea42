// The embedded database on disk: `<directory>/postgres`, behind a lock that lies beside it. Nothing here ever deletes data.
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { lockDirectory } from './directory-lock.ts'

export interface OpeningDatabase {
  /** Rejects when it is damaged. */
  database: Promise<PGlite>
  close(): Promise<void>
}

/** The first run creates the database (seconds), later ones reopen it. Throws when another process has it. */
export function openDataDirectory(directory: string): OpeningDatabase {
  const path = resolve(directory)
  const lock = lockDirectory(path)
  const database = open(path).catch((error) => {
    lock.release()
    throw error
  })
  const close = async () => {
    await (await database).close()
    lock.release()
  }
  return { database, close }
}

async function open(directory: string): Promise<PGlite> {
  const folder = join(directory, 'postgres')
  const unfinished = join(directory, 'postgres.unfinished')
  if (existsSync(unfinished)) setAside(folder)
  else if (existsSync(folder)) return reopen(folder)

  // Says, if the process dies before the database stands, that nobody has written to it yet.
  writeFileSync(unfinished, 'The database is being created.\n')
  const database = await PGlite.create(folder).catch(() => {
    // Creating one fails now and then when memory is short, and works the second time.
    setAside(folder)
    return PGlite.create(folder)
  })
  rmSync(unfinished)
  return database
}

function setAside(folder: string) {
  if (existsSync(folder)) renameSync(folder, `${folder}.unfinished-${Date.now()}`)
}

async function reopen(folder: string): Promise<PGlite> {
  try {
    // Without this file the engine would take the folder for an empty one and lay a new database over what is left.
    if (!readdirSync(folder).includes('PG_VERSION')) throw new Error('PG_VERSION is missing')
    return await PGlite.create(folder).catch(() => PGlite.create(folder))
  } catch (error) {
    throw new Error(
      `The database in ${folder} does not open: it is damaged, or was made by another version. ` +
        `Move it away (mv ${folder} ${folder}.damaged) to start with an empty one, or start with --data <another directory>.`,
      { cause: error },
    )
  }
}
