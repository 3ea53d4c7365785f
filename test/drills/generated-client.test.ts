import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { root } from '../docs/markdown.ts'
import { startService } from '../support/service.ts'
import { NEWER_NODE, newerNode, withoutNode } from './package/newer-node.ts'
import { offline, registryEnvironment, run } from './package/registry.ts'
import { temporary } from './package/temporary.ts'

const CLIENTS = [
  { name: 'hey-api', generator: ['@hey-api/openapi-ts/bin/run.js', '-o', 'generated', '--no-log-file', '-i'] },
  { name: 'openapi-fetch', generator: ['openapi-typescript/bin/cli.js', '-o', 'generated/countersign.d.ts'] }
]
const PACKAGES = { '@hey-api/openapi-ts': 'latest', 'openapi-typescript': 'latest', 'openapi-fetch': 'latest' }
const COMPILER_OPTIONS = ['--noEmit', '--allowJs', '--checkJs', '--strict', '--skipLibCheck', '--types', 'node', '--lib', 'es2023,dom,dom.iterable', '--target', 'es2023', '--module', 'esnext', '--moduleResolution', 'bundler']

t.test('a client that a generator of today makes of the document', { skip: offline || withoutNode }, async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const directory = await temporary(t, 'cache')
  const env = await registryEnvironment(join(directory, 'cache'))
  const { devDependencies } = await import(join(root, 'package.json'), { with: { type: 'json' } }).then(({ default: manifest }) => manifest as { devDependencies: Record<string, string> })
  const { typescript, '@types/node': nodeTypes } = devDependencies
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: { ...PACKAGES, ...NEWER_NODE, typescript, '@types/node': nodeTypes } }))
  await run('npm', ['install', '--no-audit', '--no-fund', '--legacy-peer-deps'], { cwd: directory, env })
  await writeFile(join(directory, 'openapi.json'), (await service.call('GET /openapi.json')).text)
  const modules = join(directory, 'node_modules')

  for (const { name, generator: [script = '', ...options] } of CLIENTS) {
    await t.test(`${name}: compiles, and works with its access token as Bearer`, async t => {
      const place = join(directory, name)
      await mkdir(place)
      await run(newerNode(directory), [join(modules, script), ...options, '../openapi.json'], { cwd: place, env })
      const program = join(place, 'program.js')
      await cp(join(root, `test/drills/generated-client/${name}.js`), program)
      const compiled = run(process.execPath, [join(modules, 'typescript/bin/tsc'), ...COMPILER_OPTIONS, program], { cwd: place })
      await t.resolves(compiled.catch((error: Error & { stdout: string }) => { throw new Error(error.stdout) }))

      const bundle = join(place, 'bundle.js')
      await build({ entryPoints: [program], outfile: bundle, bundle: true, platform: 'node', format: 'esm' })
      const { stdout } = await run(process.execPath, [bundle, origin], { cwd: place })
      t.same(JSON.parse(stdout), { registered: 201, loggedIn: 200, me: 200, renamed: 200, refreshed: 200, sessions: 200, loggedOut: 204, after: 401 })
    })
  }
})
