import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { managers } from './package/managers.ts'
import { lineOfJson, makeProject } from './package/project.ts'
import { offline, registryEnvironment } from './package/registry.ts'
import { packTarballs } from './package/tarballs.ts'
import { temporary } from './package/temporary.ts'

t.test('a project that installs the tarballs', { skip: offline }, async t => {
  const directory = await temporary(t, 'tarballs', 'managers', 'cache')
  const tarballs = await packTarballs(join(directory, 'tarballs'))
  const env = await registryEnvironment(join(directory, 'cache'))

  for (const manager of await managers(join(directory, 'managers'))) {
    await t.test(`with ${manager.name} has one Fastify, types that check, and a service that runs`, async t => {
      const place = join(directory, manager.name.replace(' ', '-'))
      await mkdir(place)
      const project = await makeProject(place, manager, tarballs, env)
      t.same(JSON.parse(lineOfJson(await project.script('app'))), { register: 201, verify: 200, mine: 'ada@example.com', oneFastify: true, verifier: 'function' })
      await t.resolves(project.script('types').catch((error: Error & { stdout: string }) => { throw new Error(error.stdout) }))
    })
  }
})
