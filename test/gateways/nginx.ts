import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { temporaryDirectory } from '../support/database.ts'
import { until } from '../support/until.ts'

const EXAMPLE = fileURLToPath(new URL('../../../examples/nginx/nginx.conf', import.meta.url))

// Where nginx keeps what it cannot pass on at once, which is otherwise a place for root alone.
const PLACES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${name};`).join(' ')

/** For tests that need nginx with `auth_request`. */
export const withNginx = await promisify(execFile)('nginx', ['-V']).then(
  ({ stderr }) => stderr.includes('http_auth_request_module') ? {} : { skip: 'this nginx has no auth_request' },
  () => ({ skip: 'needs nginx' })
)

/** Runs the example's nginx until the test ends, with these ports for those that it names. */
export async function startNginx (t: Test, { listen, countersign, service }: Record<'listen' | 'countersign' | 'service', number>): Promise<void> {
  const directory = await temporaryDirectory(t)
  const conf = (await readFile(EXAMPLE, 'utf8'))
    .replace('listen 8080;', `listen 127.0.0.1:${listen};`)
    .replace('127.0.0.1:3000', `127.0.0.1:${countersign}`)
    .replace('127.0.0.1:4000', `127.0.0.1:${service}`)
    .replace('access_log off;', `access_log off; ${PLACES}`)
  const file = join(directory, 'nginx.conf')
  await writeFile(file, conf)
  const child = spawn('nginx', ['-p', directory, '-c', file, '-g', 'daemon off; master_process off; error_log stderr crit;'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const gone = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await gone
  })
  await until(async () => await fetch(`http://127.0.0.1:${listen}/auth/verify`).then(() => true, () => false))
}
