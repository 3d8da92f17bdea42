// A project in a temporary folder that has recollect installed, as its source stands here, with everything it depends on.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }

export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'recollect-docs-'))

  constructor() {
    const installed = join(this.folder, 'node_modules')
    mkdirSync(join(installed, 'recollect'), { recursive: true })
    const packages = readdirSync('node_modules').filter((name) => !name.startsWith('.') && name !== 'recollect')
    for (const name of packages) symlinkSync(resolve('node_modules', name), join(installed, name))
    symlinkSync(resolve('src'), join(installed, 'recollect', 'src'))
    this.write('node_modules/recollect/package.json', JSON.stringify({ ...packageJson, exports: sourceDoors() }))
    this.write('package.json', JSON.stringify({ name: 'documented', private: true, type: 'module' }))
    this.write('tsconfig.json', JSON.stringify({ extends: resolve('tsconfig.json'), include: ['snippets'] }))
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** What the compiler says of the snippets. Of src it may say more, for a snippet may declare an `Env`: that is not asked here. */
  typeErrors(): string[] {
    const tsc = resolve('node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], this.#options())
    if (stderr !== '') throw new Error(stderr)
    return stdout.split('\n').filter((line) => line.startsWith('snippets/') || line.startsWith('error'))
  }

  /** Runs a file on Node: its standard output, or all it said when it failed. */
  run(name: string): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', name], this.#options())
    return status === 0 ? stdout : `failed with ${status}\n${stdout}${stderr}`
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #options() {
    return { cwd: this.folder, encoding: 'utf8', timeout: 60_000 } as const
  }
}

/** The doors of the package, each on its source file in place of what is built from it. */
function sourceDoors(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(packageJson.exports).map(([door, target]) => [
      door,
      typeof target === 'string' ? target : target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
    ]),
  )
}
