// Runs a command that must not outlive whoever started it: when standard input ends, the command and all it started are ended.
import { spawn } from 'node:child_process'

const [program = '', ...parameters] = process.argv.slice(2)
const child = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })

function end(signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

process.stdin.resume()
process.stdin.on('end', () => {
  end('SIGTERM')
  setTimeout(() => end('SIGKILL'), 2_000).unref()
})
// A terminal's Ctrl-C reaches this process too: the one that started it decides.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => end('SIGTERM'))
child.on('exit', (code) => {
  end('SIGKILL')
  process.exit(code ?? 1)
})
