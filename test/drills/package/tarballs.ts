import { join } from 'node:path'
import { root } from '../../docs/markdown.ts'
import { run } from './registry.ts'

/** What `npm publish` would upload. */
export interface Tarballs {
  readonly countersign: string
  readonly verifier: string
}

/** Packs what the build has left. */
export async function packTarballs (directory: string): Promise<Tarballs> {
  return { countersign: await pack(directory), verifier: await pack(directory, '--workspace', 'verifier') }
}

async function pack (directory: string, ...options: string[]): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory, ...options], { cwd: root })
  return join(directory, stdout.trim())
}
