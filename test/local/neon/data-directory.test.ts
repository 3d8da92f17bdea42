// The embedded database on disk: who may open it, what survives, what is said when it does not open.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lockDirectory } from '../../../local/neon/directory-lock.ts'
import { pgliteEngine } from '../../../local/neon/pglite.ts'
import { client, password } from './client.ts'

const bootMs = 60_000
const root = mkdtempSync(join(tmpdir(), 'recollect-data-'))
const used = join(root, 'used')
const children = new Set<ChildProcess>()

/** A directory whose database has one table with one row, closed. */
beforeAll(async () => {
  const engine = await pgliteEngine(used)
  await engine.script('create table kept (id int); insert into kept values (1)')
  await engine.close()
}, bootMs)
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

function copy(name: string): string {
  const directory = join(root, name)
  cpSync(used, directory, { recursive: true })
  return directory
}

async function kept(directory: string) {
  const engine = await pgliteEngine(directory)
  const [result] = await engine.query([{ text: 'select id from kept order by id', params: [] }])
  await engine.close()
  return result?.rows.map(([id]) => Number(id))
}

async function serve(directory: string) {
  const program = fileURLToPath(new URL('serve-directory.ts', import.meta.url))
  const child = spawn(process.execPath, [program, directory, password], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  const [line] = await once(child.stdout, 'data')
  return { child, line: String(line).trim() }
}

async function kill(child: ChildProcess) {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('the data directory', () => {
  test('keeps its rows from one run to the next, and no lock when closed', { timeout: bootMs }, async () => {
    expect(await kept(used)).toEqual([1])
    expect(readdirSync(used)).toEqual(['postgres'])
  })

  test('keeps every acknowledged row when the process is killed', { timeout: bootMs }, async () => {
    const directory = copy('killed')
    const { child, line } = await serve(directory)
    const sql = client(Number(line))
    const acknowledged: number[] = [1]
    const writing = (async () => {
      for (let id = 2; ; id++) {
        await sql`insert into kept values (${id})`
        acknowledged.push(id)
      }
    })().catch((error: unknown) => error)
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(200)
    await kill(child)
    await writing
    expect(await kept(directory)).toEqual(expect.arrayContaining(acknowledged))
  })

  test('is refused to a second process while the first lives, and given to it afterwards', {
    timeout: bootMs,
  }, async () => {
    const directory = copy('shared')
    const first = await serve(directory)
    const second = await serve(directory)
    expect(second.line).toContain(`${directory} is in use by process ${first.child.pid}`)
    expect(second.line).toContain('--data')
    await expect(pgliteEngine(directory)).rejects.toThrow(`process ${first.child.pid}`)
    expect(await client(Number(first.line))`select id from kept`).toEqual([{ id: 1 }])
    await kill(first.child)
    expect(await kept(directory)).toEqual([1])
  })

  test.each([
    ['its control file is gone', (folder: string) => rmSync(join(folder, 'global', 'pg_control'))],
    [
      'its control file is not one',
      (folder: string) => writeFileSync(join(folder, 'global', 'pg_control'), 'x'.repeat(8192)),
    ],
    ['its log is gone', (folder: string) => rmSync(join(folder, 'pg_wal'), { recursive: true })],
    ['it was made by another version', (folder: string) => writeFileSync(join(folder, 'PG_VERSION'), '15\n')],
    ['it no longer says that it is a database', (folder: string) => rmSync(join(folder, 'PG_VERSION'))],
  ])(
    'does not open when %s: the error names the folder and the way out, and the files stay',
    { timeout: bootMs },
    async (why, damage) => {
      const directory = copy(why.replaceAll(' ', '-'))
      const folder = join(directory, 'postgres')
      damage(folder)
      await expect(pgliteEngine(directory)).rejects.toThrow(`The database in ${folder} does not open`)
      await expect(pgliteEngine(directory)).rejects.toThrow('--data')
      expect(existsSync(join(folder, 'base'))).toBe(true)
      expect(readdirSync(directory)).toEqual(['postgres'])
    },
  )

  test('starts again when the process died while it was being made, and puts the torso aside', {
    timeout: bootMs,
  }, async () => {
    const directory = join(root, 'torso')
    mkdirSync(join(directory, 'postgres'), { recursive: true })
    writeFileSync(join(directory, 'postgres', 'PG_VERSION'), '18\n')
    writeFileSync(join(directory, 'postgres.unfinished'), '')
    const engine = await pgliteEngine(directory)
    await engine.script('create table kept (id int)')
    await engine.close()
    expect(readdirSync(directory)).toEqual(['postgres', expect.stringMatching(/^postgres\.unfinished-\d+$/)])
  })
})

describe('the lock', () => {
  test('is held once in a process too, and free after its release', () => {
    const directory = join(root, 'lock-once')
    const lock = lockDirectory(directory)
    expect(() => lockDirectory(directory)).toThrow(`in use by this process (${process.pid})`)
    lock.release()
    lockDirectory(directory).release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('of a dead process is cleared away', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    const directory = join(root, 'lock-dead')
    mkdirSync(directory)
    writeFileSync(join(directory, `lock-${child.pid}-0`), '')
    const lock = lockDirectory(directory)
    expect(readdirSync(directory)).toHaveLength(1)
    lock.release()
  })

  test.skipIf(!existsSync('/proc/self/stat'))(
    'of a process whose number was given out again is cleared away (needs /proc)',
    () => {
      const directory = join(root, 'lock-reused')
      mkdirSync(directory)
      writeFileSync(join(directory, `lock-${process.ppid}-1`), '')
      lockDirectory(directory).release()
      expect(readdirSync(directory)).toEqual([])
    },
  )

  test('of a living process whose start is unknown is respected, and the error says which file to remove', () => {
    const directory = join(root, 'lock-unknown')
    mkdirSync(directory)
    const file = join(directory, `lock-${process.ppid}-0`)
    writeFileSync(file, '')
    expect(() => lockDirectory(directory)).toThrow(`If process ${process.ppid} is some other program, remove ${file}`)
    expect(readdirSync(directory)).toEqual([`lock-${process.ppid}-0`])
  })
})
