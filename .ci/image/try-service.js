import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const secret = () => randomBytes(48).toString('base64url')

/** Starts what the image starts, and holds it to what the image promises. */
export async function tryService ({ root, workdir, env }, steps, { databaseUrl, redisUrl }) {
  const said = instruction => steps.findLast(step => step.instruction === instruction)
  const cwd = join(root, workdir)
  const port = await freePort()
  const dataDir = join(root, said('VOLUME').path)
  mkdirSync(dataDir, { recursive: true })
  const environment = {
    PATH: process.env.PATH,
    ...env,
    ...databaseUrl && { DATABASE_URL: databaseUrl },
    ...redisUrl && { REDIS_URL: redisUrl },
    DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: String(port),
    COUNTERSIGN_SECRET: secret(),
    JWT_SECRET: secret(),
    LOG_LEVEL: 'warn'
  }
  const isHealthy = () => promisify(execFile)(...command(said('HEALTHCHECK')), { cwd, env: environment }).then(() => true, () => false)

  const mark = join(root, 'started')
  writeFileSync(mark, '')
  const started = performance.now()
  const service = spawn(...command(said('CMD')), { cwd, env: environment, stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = once(service, 'exit')
  try {
    const url = `http://127.0.0.1:${port}`
    await untilReady(url, service)
    console.log(`   ready after ${Math.round(performance.now() - started)} ms`)
    await logsIn(url)
    must(await isHealthy(), 'HEALTHCHECK says that the running service is not healthy')

    service.kill(said('STOPSIGNAL').signal)
    const [code] = await Promise.race([ended, sleep(10_000, ['none after 10 s'], { ref: false })])
    must(code === 0, `asked to stop, the service ended with exit code ${code}`)
    must(!await isHealthy(), 'HEALTHCHECK says that a stopped service is healthy')
    const written = execFileSync('find', ['.', '-type', 'f', '-newer', mark], { cwd, encoding: 'utf8' })
    must(written === '', `the service wrote beside its data, where an image is read-only:\n${written}`)
  } finally {
    service.kill('SIGKILL')
  }
}

const command = ({ command: [file, ...args] }) => [file, args]

function must (holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

async function untilReady (url, service) {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    must(service.exitCode === null && service.signalCode === null, `the service ended with ${service.signalCode ?? `exit code ${service.exitCode}`}`)
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.status === 200) return
    await sleep(200)
  }
  throw new Error('the service was not ready after 30 s')
}

/** Needs the hash's native code and the query compiler: what an install or a pruning too many would take. */
async function logsIn (url) {
  const body = JSON.stringify({ email: 'ada@example.com', password: secret() })
  const registered = await fetch(`${url}/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  must(registered.status === 201, `POST /auth/register answered ${registered.status}: ${await registered.clone().text()}`)
  const { accessToken } = await registered.json()
  const verified = await fetch(`${url}/auth/verify`, { headers: { authorization: `Bearer ${accessToken}` } })
  must(verified.status === 200, `GET /auth/verify answered ${verified.status}`)
}
