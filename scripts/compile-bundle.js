// Run after the build: leaves beside the bundle what V8 has compiled of it once the service has started and answered, with
// which a start takes a third less of a core's time. It is of use to the very Node that made it, and in no published package.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SERVE_ENVIRONMENT, SERVE_FLAGS } from '../dist/cli/serve-flags.js'
import { codeFile, loadBundle } from './load-bundle.js'

const TIME_LIMIT_MS = 60_000
const directory = join(import.meta.dirname, '../dist/bin')
const [name] = (await readdir(directory)).filter(file => /^program-.*[.]cjs$/.test(file))
const bundle = join(directory, name)
const file = codeFile(bundle)

if (process.env.COMPILED_IN) await compile()
else await compileUnderFlags()

async function compileUnderFlags () {
  for (const old of await readdir(directory)) if (old.endsWith('.code') && old !== basename(file)) await rm(join(directory, old))
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-build-'))
  // Compiled code is good for the flags that it was compiled under.
  const child = spawn(process.execPath, [...SERVE_FLAGS, import.meta.filename], { env: { PATH: process.env.PATH, ...SERVE_ENVIRONMENT, ...await settings(dataDir) }, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', chunk => { errors += chunk })
  const tooLate = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS)
  const code = await new Promise(resolve => child.once('close', resolve))
  clearTimeout(tooLate)
  await rm(dataDir, { recursive: true, force: true })
  // Only time is lost.
  if (code !== 0) console.error(`The bundle could not be compiled in advance, so that each start compiles it: ${errors.trim().split('\n').at(-1)}`)
}

async function settings (dataDir) {
  const port = await freePort()
  return { COMPILED_IN: dataDir, NODE_ENV: 'test', LOG_LEVEL: 'warn', HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, DATA_DIR: dataDir }
}

async function compile () {
  const { script, exports: { runProgram } } = loadBundle(bundle)
  // V8 takes what is there: it was made under the same flags, of the same source.
  if (script.cachedDataRejected === false) return
  // Loads what speaks to PostgreSQL, which is not there.
  await run(runProgram, ['migrate'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' })
  await run(runProgram, ['serve'], {})
  await use(process.env.PUBLIC_URL)
  const unfinished = `${file}.${process.pid}`
  await writeFile(unfinished, script.createCachedData())
  await rename(unfinished, file)
  process.exitCode = 0
  process.kill(process.pid, 'SIGTERM')
}

async function run (runProgram, args, environment) {
  process.argv.splice(2, Infinity, ...args)
  delete process.env.DATABASE_URL
  Object.assign(process.env, environment)
  await runProgram()
}

async function use (origin) {
  const account = { email: 'build@example.com', password: randomBytes(18).toString('base64url') }
  await post('/auth/register', account)
  const { accessToken, refreshToken } = await post('/auth/login', account)
  const headers = { authorization: `Bearer ${accessToken}` }
  for (const path of ['/health/ready', '/health/live', '/auth/verify', '/auth/me', '/auth/sessions']) await ask(path, { headers })
  await post('/auth/refresh', { refreshToken })
  await ask('/auth/logout', { method: 'POST', headers })

  async function ask (path, options) {
    const response = await fetch(origin + path, options)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`)
    return text
  }

  async function post (path, body) {
    return JSON.parse(await ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
  }
}

function freePort () {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
