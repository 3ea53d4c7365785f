import { spawn } from 'node:child_process'
import type { Test } from 'tap'
import { NODE_FLAGS } from '../support/node-flags.ts'

export interface Child {
  /** Resolves with the next line the process prints that starts with `word`; rejects when it ends without one. */
  says: (word: string) => Promise<string>
  /** Everything printed so far, both streams. */
  output: () => string
  kill: () => Promise<void>
  exit: Promise<number | null>
}

/** Runs a script that lies beside the tests, by its compiled name, in a process of its own. */
export function child (t: Test, script: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const path = new URL(script, import.meta.url).pathname
  const run = spawn(process.execPath, [...NODE_FLAGS, path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Coverage's hooks would be killed together with the process, half-way through their files.
    env: { PATH: process.env.PATH, ...env }
  })
  let text = ''
  const waiting = new Set<() => void>()
  const more = (part: string) => {
    text += part
    for (const look of waiting) look()
  }
  run.stdout.setEncoding('utf8').on('data', more)
  run.stderr.setEncoding('utf8').on('data', more)
  const exit = new Promise<number | null>(resolve => { run.on('close', resolve) })

  async function kill () {
    run.kill('SIGKILL')
    await exit
  }
  t.teardown(kill)

  function says (word: string) {
    return new Promise<string>((resolve, reject) => {
      const look = () => {
        const line = text.split('\n').slice(0, -1).find(each => each.startsWith(word))
        if (line === undefined) return
        waiting.delete(look)
        resolve(line)
      }
      waiting.add(look)
      look()
      exit.then(() => reject(new Error(`ended without saying "${word}": ${text}`)))
    })
  }

  return { says, output: () => text, kill, exit }
}
