import { join } from 'node:path'
import { run } from './registry.ts'
import type { Tarballs } from './tarballs.ts'

/** A package manager, as a project meets it. */
export interface Manager {
  readonly name: string
  /** What starts it, before the arguments of its own. */
  readonly command: readonly [file: string, ...args: string[]]
  readonly install: readonly string[]
  /** What package.json says besides, so that the one tarball finds the other without a registry that has it. */
  manifest (tarballs: Tarballs): object
}

/** npm, which comes with Node. */
export const npm: Manager = { name: 'npm', command: ['npm'], install: ['install'], manifest: () => ({}) }

/** All package managers: those that do not come with Node are installed into `directory`. */
export async function managers (directory: string): Promise<Manager[]> {
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', directory, 'pnpm@10', 'yarn-1@npm:yarn@1', 'yarn-4@npm:@yarnpkg/cli-dist@4'])
  const script = (path: string): [string, string] => [process.execPath, join(directory, 'node_modules', path)]
  // Yarn 1 takes a package's word for the Node it runs on, and Fastify's light-my-request brings one that asks for Node 22.
  const forNode20 = Number(process.versions.node.split('.')[0]) < 22 ? { 'light-my-request': '6.6.0' } : {}
  return [
    npm,
    { name: 'pnpm', command: script('pnpm/bin/pnpm.cjs'), install: ['install', '--no-frozen-lockfile'], manifest: ({ verifier }) => ({ pnpm: { overrides: { 'countersign-verifier': `file:${verifier}` } } }) },
    { name: 'Yarn 1', command: script('yarn-1/bin/yarn.js'), install: ['install', '--non-interactive'], manifest: ({ verifier }) => ({ resolutions: { 'countersign-verifier': `file:${verifier}`, ...forNode20 } }) },
    { name: 'Yarn 4', command: script('yarn-4/bin/yarn.js'), install: ['install'], manifest: ({ verifier }) => ({ resolutions: { 'countersign-verifier': `file:${verifier}` } }) }
  ]
}
