import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { NODE_FLAGS } from '../support/node-flags.ts'
import type { Settings } from '../support/service.ts'

// What is installed: the bundle that the build leaves.
const MAIN = fileURLToPath(new URL('../../../dist/bin/main.js', import.meta.url))

/** A run of `countersign`. */
export interface Command {
  readonly pid: number | undefined
  /** Both streams so far. */
  output (): { stdout: string, stderr: string }
  /** Resolves with the first match of a pattern on standard output; rejects when the process ends without one. */
  says (pattern: RegExp): Promise<RegExpExecArray>
  signal (name: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null, stdout: string, stderr: string }>
}

/** Starts `countersign` in a process of its own, which is gone when the test ends. */
export function command (t: Test, args: readonly string[], { settings = {}, input = '' }: { settings?: Settings, input?: string } = {}): Command {
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args], { env: { PATH: process.env.PATH, ...settings } })
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const look = () => { for (const each of waiting) each() }
  child.stdout.setEncoding('utf8').on('data', (part: string) => { stdout += part; look() })
  child.stderr.setEncoding('utf8').on('data', (part: string) => { stderr += part })
  // A command that refuses its arguments ends before it reads.
  child.stdin.on('error', () => {}).end(input)
  const ended = new Promise<{ code: number | null, stdout: string, stderr: string }>(resolve => {
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })

  function says (pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      function check (): void {
        const match = pattern.exec(stdout)
        if (match === null) return
        waiting.delete(check)
        resolve(match)
      }
      waiting.add(check)
      check()
      ended.then(() => reject(new Error(`It ended without saying ${pattern}:\n${stdout}${stderr}`)), reject)
    })
  }

  return { pid: child.pid, output: () => ({ stdout, stderr }), says, signal: name => { child.kill(name) }, ended }
}
