// Runs a script of this project with a Node that can, or says in one sentence how to get one.
// Plain old JavaScript: it must parse and speak on whatever Node the machine has, so no `node:` in front of modules either.
'use strict'
const fs = require('fs')
const path = require('path')

const script = path.resolve(process.argv[2])
const carriedPackage = path.join(__dirname, '..', 'node_modules', 'node')
const carried = path.join(carriedPackage, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

// True since 22.18: this Node runs TypeScript files as they stand.
if (process.features.typescript) {
  process.argv.splice(1, 2, script)
  require('module').runMain()
} else if (fs.existsSync(carried)) {
  runWithCarried()
} else {
  refuse()
}

// `npm run` finds the carried Node first by itself; this is for package managers that do not link it.
function runWithCarried() {
  const child = require('child_process').spawn(carried, [script].concat(process.argv.slice(3)), {
    stdio: 'inherit',
    env: Object.assign({}, process.env, { PATH: path.dirname(carried) + path.delimiter + process.env.PATH }),
  })
  // The child decides how to stop; leaving before it would leave it behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => {
    process.exitCode = code === null ? 1 : code
  })
}

function refuse() {
  const mend = fs.existsSync(carriedPackage)
    ? '(cd node_modules/node && node installArchSpecificPackage.js)'
    : 'npm install'
  console.error(
    `recollect needs Node 22.18 or newer, this is ${process.versions.node}, and the Node 22 it brings along was not installed; run this, then try again: ${mend}`,
  )
  process.exitCode = 1
}
