// The peers' packages: in this folder, apart from the project's own, and installed when they are first measured.
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const folder = new URL('./', import.meta.url)

/** Name and version of each, as measured. */
export async function installedPeers(): Promise<Record<string, string>> {
  const wanted = await wantedPackages()
  if (!(await areInstalled(wanted))) {
    process.stderr.write('The packages of the peers are not installed: npm ci in bench/peers\n')
    await install()
    if (!(await areInstalled(wanted))) throw new Error('After npm ci in bench/peers the pinned versions are not there.')
  }
  return wanted
}

async function wantedPackages(): Promise<Record<string, string>> {
  const manifest: { dependencies: Record<string, string> } = JSON.parse(
    await readFile(new URL('package.json', folder), 'utf8'),
  )
  return manifest.dependencies
}

async function areInstalled(wanted: Readonly<Record<string, string>>): Promise<boolean> {
  const versions = await Promise.all(Object.keys(wanted).map(versionOf))
  return Object.values(wanted).every((version, index) => version === versions[index])
}

async function versionOf(name: string): Promise<string | undefined> {
  try {
    const manifest: { version: string } = JSON.parse(
      await readFile(new URL(`node_modules/${name}/package.json`, folder), 'utf8'),
    )
    return manifest.version
  } catch {
    return undefined
  }
}

function install(): Promise<void> {
  // What it says goes to standard error: standard output is for figures.
  const npm = spawn('npm', ['ci'], { cwd: fileURLToPath(folder), stdio: ['ignore', 2, 2] })
  return new Promise((resolve, reject) => {
    npm.once('error', reject)
    npm.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`npm ci in bench/peers ended with code ${code}.`))
    })
  })
}
