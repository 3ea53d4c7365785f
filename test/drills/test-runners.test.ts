import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../docs/markdown.ts'
import { databaseUrl, testDatabase } from '../support/database.ts'
import { NEWER_NODE, newerNode, withoutNode } from './package/newer-node.ts'
import { offline, registryEnvironment, run } from './package/registry.ts'
import { packTarballs } from './package/tarballs.ts'
import { temporary } from './package/temporary.ts'

const RUNNERS = {
  jest: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
  'vitest with vmThreads': ['node_modules/vitest/vitest.mjs', 'run']
}

t.test("a host's tests, under", { skip: offline || withoutNode, timeout: 600_000 }, async t => {
  const directory = await temporary(t, 'tarballs', 'cache')
  const env = await registryEnvironment(join(directory, 'cache'))
  const { countersign, verifier } = await packTarballs(join(directory, 'tarballs'))
  await writeFile(join(directory, 'package.json'), JSON.stringify({
    private: true,
    type: 'module',
    dependencies: { countersign: `file:${countersign}`, 'countersign-verifier': `file:${verifier}`, fastify: '^5.12.0', express: '^5.1.0', jest: 'latest', vitest: 'latest', ...NEWER_NODE },
    jest: { transform: {}, testEnvironment: 'node' }
  }))
  await writeFile(join(directory, 'vitest.config.js'), "export default { test: { globals: true, pool: 'vmThreads' } }")
  await cp(join(root, 'test/drills/test-runners/suite.js'), join(directory, 'suite.test.js'))
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: directory, env })

  for (const [name, args] of Object.entries(RUNNERS)) {
    await t.test(`${name}: tokens are verified, what is bad is 401 and no failure, and every problem is JSON`, async t => {
      const database = databaseUrl === undefined ? {} : { RUNNER_DATABASE_URL: (await testDatabase(t)).url }
      const { stdout, stderr } = await run(newerNode(directory), args, { cwd: directory, env: { ...env, ...database, NO_COLOR: '1' } })
        .catch((error: Error & { stdout: string, stderr: string }) => ({ stdout: error.stdout, stderr: error.stderr }))
      t.match(stdout + stderr, databaseUrl === undefined ? /Tests:? +2 passed/ : /Tests:? +3 passed/)
    })
  }
})
