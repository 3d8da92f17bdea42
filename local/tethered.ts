// Runs a command that must not outlive whoever started it. To be started as the leader of a process group, with a pipe as
// standard input: when that ends, however its other end came to end, the whole group is ended.
import { spawn } from 'node:child_process'

const graceMs = 2_000
const [program = '', ...parameters] = process.argv.slice(2)
const child = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'] })

function endGroup(signal: NodeJS.Signals): void {
  process.kill(-process.pid, signal)
}

// It must live to send the last signal.
process.on('SIGTERM', () => {})
process.on('SIGINT', () => {})
process.stdin.resume()
process.stdin.on('end', () => {
  endGroup('SIGTERM')
  setTimeout(() => endGroup('SIGKILL'), graceMs).unref()
})
child.on('exit', (code) => {
  endGroup('SIGTERM')
  process.exit(code ?? 1)
})
