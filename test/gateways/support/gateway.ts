import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { root } from '../../docs/markdown.ts'
import { temporaryDirectory } from '../../support/database.ts'
import { until } from '../../support/until.ts'
import { answers } from './services.ts'

/** The ports that a gateway has to do with. */
export interface Places {
  readonly listen: number
  readonly countersign: number
  readonly service: number
}

/** How an example is run. */
export interface Run {
  /** Its files in `examples/gateways`. */
  files: readonly string[]
  /** The command, run in the directory that the files are copied to. */
  command: readonly [string, ...string[]]
  /** What is put in place of what, beside the ports. */
  edits?: (places: Places) => readonly (readonly [from: string, to: string])[]
}

/** Runs an example of a gateway until the test ends, with these ports for those that it names. */
export async function startGateway (t: Test, places: Places, { files, command: [name, ...options], edits }: Run): Promise<void> {
  const directory = await temporaryDirectory(t)
  // Some of them give up root.
  await chmod(directory, 0o755)
  const ports = [['127.0.0.1:3000', `127.0.0.1:${places.countersign}`], ['127.0.0.1:4000', `127.0.0.1:${places.service}`]] as const
  const texts = await Promise.all(files.map(file => readFile(`${root}examples/gateways/${file}`, 'utf8')))
  for (const [from] of edits?.(places) ?? []) {
    if (!texts.some(text => text.includes(from))) throw new Error(`No file of the example has ${from}`)
  }
  await Promise.all(texts.map((text, index) => {
    const edited = [...edits?.(places) ?? [], ...ports].reduce((text, [from, to]) => text.replaceAll(from, to), text)
    return writeFile(join(directory, basename(files[index] ?? '')), edited)
  }))

  const child = spawn(name, options, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: `${process.env.PATH}:/usr/sbin`, HOME: directory } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => { said += part.toString() })
  const gone = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await gone
    if (!t.passing()) t.comment(said)
  })
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start:\n${said}`)
    return answers(places.listen)
  })
}
