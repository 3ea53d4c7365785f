import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../../docs/markdown.ts'
import type { Manager } from './managers.ts'
import { run } from './registry.ts'
import type { Tarballs } from './tarballs.ts'

/** Somebody's project, with our packages in it. */
export interface Project {
  readonly directory: string
  /** Runs a script of its package.json. @returns what it printed */
  script (name: 'app' | 'types'): Promise<string>
}

// Not the newest of Fastify 5: a host with its own keeps one copy.
const FASTIFY = '5.12.0'

/** Makes a project in `directory`, which is there and empty, and installs it. */
export async function makeProject (directory: string, manager: Manager, tarballs: Tarballs, env: NodeJS.ProcessEnv): Promise<Project> {
  const { devDependencies } = await import(join(root, 'package.json'), { with: { type: 'json' } }).then(({ default: manifest }) => manifest as { devDependencies: Record<string, string> })
  await writeFile(join(directory, 'package.json'), JSON.stringify({
    name: 'somebodys-project',
    private: true,
    type: 'module',
    scripts: {
      app: 'node app.js',
      types: 'tsc -p types/plain-host --skipLibCheck false && tsc -p types/verifier-fastify --skipLibCheck false'
    },
    dependencies: { countersign: `file:${tarballs.countersign}`, 'countersign-verifier': `file:${tarballs.verifier}`, fastify: FASTIFY },
    devDependencies: { '@types/node': devDependencies['@types/node'], typescript: devDependencies.typescript },
    ...manager.manifest(tarballs)
  }))
  await writeFile(join(directory, 'yarn.lock'), '')
  await cp(join(root, 'test/drills/package/app.js'), join(directory, 'app.js'))
  await mkdir(join(directory, 'types'))
  for (const name of ['plain-host', 'verifier-fastify', 'expect-type.ts', 'tsconfig.host.json']) {
    await cp(join(root, 'test/types', name), join(directory, 'types', name), { recursive: true })
  }

  const [file, ...args] = manager.command
  const execute = async (...rest: string[]) => (await run(file, [...args, ...rest], { cwd: directory, env })).stdout
  await execute(...manager.install)
  return { directory, script: name => execute('run', name) }
}

/** What the app has printed of itself: package managers print more, and so does the service, such as the mail that it cannot send. */
export function lineOfJson (said: string): string {
  return /^\{.*\}$/m.exec(said)?.[0] ?? said
}
