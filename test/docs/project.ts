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
    this.write('tsconfig.json', JSON.stringify({ extends: resolve('tsconfig.json'), include: ['src'] }))
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /**
   * What the compiler says of the project's own files. Of ours it may say more, where a snippet declares an `Env` or the
   * project has options of its own: users get declarations, this project has the source.
   */
  typeErrors(): string[] {
    // An error on purpose: a compiler that did not look would find none.
    this.write('src/wrong.ts', "export const wrong: number = 'text'\n")
    const output = this.run('node_modules/typescript/bin/tsc', '-p', '.', '--pretty', 'false')
    const errors = output.split('\n').filter((line) => /^(src\/|error )/.test(line))
    if (!errors.some((line) => line.startsWith('src/wrong.ts'))) throw new Error(`Nothing was checked: ${output}`)
    return errors.filter((line) => !line.startsWith('src/wrong.ts'))
  }

  /** Runs a script on Node: its standard output, or all it said when it failed. */
  run(script: string, ...parameters: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', script, ...parameters], {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
    })
    return status === 0 ? stdout : `${stdout}${stderr}\nIt ended with ${status}.`
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
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
