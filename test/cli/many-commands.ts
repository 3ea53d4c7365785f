import { fork, type ChildProcess } from 'node:child_process'
import tap from 'tap'
import { NODE_FLAGS } from '../support/node-flags.ts'
import type { Settings } from '../support/service.ts'
import type { CommandRun } from './command-host.ts'

/** How a command has ended, and what it wrote. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let host: ChildProcess | undefined
let asked = 0
tap.teardown(() => host?.kill())

/**
 * Runs `countersign` as `command` does, but one after another in one process: to load the program, and the engine of the embedded
 * database, takes longer than most commands do. That each ends its process too is for `command` to show.
 */
export async function runCommand (args: readonly string[], { settings = {}, input = '' }: { settings?: Settings, input?: string } = {}): Promise<Ended> {
  const process = host ??= fork(new URL('command-host.js', import.meta.url), { execArgv: [...NODE_FLAGS], env: { PATH: globalThis.process.env.PATH }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  // Those that wait for nothing else would never end.
  process.setMaxListeners(100)
  const id = asked++
  return new Promise((resolve, reject) => {
    function onMessage (ended: Ended & { id: number }): void {
      if (ended.id !== id) return
      stop()
      resolve({ code: ended.code, stdout: ended.stdout, stderr: ended.stderr })
    }
    function onExit (code: number | null): void {
      host = undefined
      stop()
      reject(new Error(`The process ended with ${code} during: ${args.join(' ')}`))
    }
    function stop (): void {
      process.off('message', onMessage).off('exit', onExit)
    }
    process.on('message', onMessage).on('exit', onExit)
    process.send({ id, args, environment: { PATH: globalThis.process.env.PATH ?? '', ...settings }, input } satisfies CommandRun)
  })
}
