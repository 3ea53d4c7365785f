// The process of many-commands.ts: runs the bundle that the build leaves, for one message after another.
import { readdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'

/** A command to run. */
export interface CommandRun {
  readonly id: number
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** What is on its standard input. */
  readonly input: string
}

interface Loader {
  loadBundle (filename: string): { exports: { runProgram (): Promise<void> } }
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { loadBundle } = await import(pathToFileURL(join(root, 'scripts/load-bundle.js')).href) as Loader
const bin = join(root, 'dist/bin')
const [bundle = ''] = (await readdir(bin)).filter(name => /^program-.*\.cjs$/.test(name))
const { runProgram } = loadBundle(join(bin, bundle)).exports

let last: Promise<void> = Promise.resolve()
process.on('message', (run: CommandRun) => { last = last.then(() => execute(run)) })
process.on('disconnect', () => process.exit())

async function execute ({ id, args, environment, input }: CommandRun): Promise<void> {
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (part: string | Uint8Array) => {
      written[name] += part.toString()
      return true
    }
  }
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true })
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, environment)
  process.argv.splice(2, Infinity, ...args)
  process.exitCode = 0
  await runProgram()
  process.send?.({ id, code: process.exitCode, ...written })
}
