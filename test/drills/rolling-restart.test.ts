import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { blocksOf, readPage } from '../docs/markdown.ts'
import { onPostgres, temporaryDirectory } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { callsTo, startInstances } from '../support/instances.ts'

const RESTARTS = 6
const CLIENTS = 4
const hasNginx = spawnSync('nginx', ['-v']).status === 0

/** Starts nginx with what docs/gateways.md says of several instances, on the ports of two instances. @returns its origin, and its log of errors */
async function startNginx (t: Test, origins: readonly string[]): Promise<{ origin: string, errors (): Promise<string> }> {
  const directory = await temporaryDirectory(t)
  const port = await freePort()
  const upstream = blocksOf(await readPage('docs/gateways.md')).find(({ text }) => /^upstream [^]*max_fails=0/.test(text))?.text ?? ''
  const again = blocksOf(await readPage('docs/gateways.md')).find(({ text }) => text.startsWith('proxy_next_upstream'))?.text ?? ''
  const [first = '', second = ''] = origins.map(origin => new URL(origin).host)
  const configuration = `
    daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
    events {}
    http {
      access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
      ${upstream.replace('10.0.0.1:3000', first).replace('10.0.0.2:3000', second)}
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://countersign; proxy_http_version 1.1; proxy_set_header Connection ""; ${again} } }
    }`
  await writeFile(join(directory, 'nginx.conf'), configuration)
  const nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'ignore' })
  t.teardown(async () => {
    const gone = once(nginx, 'exit')
    nginx.kill('SIGTERM')
    await gone
  })
  const origin = `http://127.0.0.1:${port}`
  while (!(await fetch(`${origin}/health/live`).then(({ ok }) => ok, () => false))) await pause(50)
  return { origin, errors: () => readFile(join(directory, 'error.log'), 'utf8') }
}

t.test(`${RESTARTS} rolling restarts of two instances behind nginx, under load, lose no request`, { ...onPostgres, ...!hasNginx && { skip: 'needs nginx' }, timeout: 300_000 }, async t => {
  const settings = { SHUTDOWN_DELAY: '3s' }
  const { instances } = await startInstances(t, settings, settings)
  const { origin, errors } = await startNginx(t, instances.map(instance => instance.origin))
  const through = callsTo(origin)
  const over = new AbortController()
  const counts: Record<string, number> = {}
  const people = await Promise.all(Array.from({ length: CLIENTS }, through.person))

  const load = Promise.all(people.map(async person => {
    let { refreshToken } = person
    while (!over.signal.aborted) {
      const { status, body } = await through.call<{ refreshToken: string }>('POST /auth/refresh', { json: { refreshToken } }).catch((error: Error) => ({ status: error.message, body: undefined }))
      counts[status] = (counts[status] ?? 0) + 1
      if (status === 200 && body !== undefined) refreshToken = body.refreshToken
      await pause(10)
    }
  }))
  for (let restart = 0; restart < RESTARTS; restart++) {
    const instance = instances[restart % 2 as 0 | 1]
    t.equal(await instance.stop(), 0)
    await instance.restart()
    await pause(500)
  }
  over.abort()
  await load
  t.comment(JSON.stringify(counts))
  t.strictSame(Object.keys(counts), ['200'], (await errors()).split('\n').filter(line => !line.includes('Connection refused')).join('\n'))
  t.ok((counts[200] ?? 0) > 200, `${counts[200]} requests`)
})
