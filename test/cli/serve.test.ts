import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SERVE_FLAGS } from '../../src/cli/serve-flags.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { onPostgres, onServer, temporaryDirectory, testDatabase } from '../support/database.ts'
import { PASSWORD, type LoginBody } from '../support/service.ts'
import { command, type Command } from './command.ts'
import { CHEAP, freshSettings, originOf } from './serving.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const SENTENCE = /^[^\n]+\n$/

/** The process that answers, which the log names. On a Node that cannot replace a process it is a child of the command's. */
function processOf (service: Command): string {
  return /"pid":(\d+)/.exec(service.output().stdout)?.[1] ?? ''
}

const register = (origin: string, email = 'ada@example.com') => fetch(`${origin}/auth/register`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: PASSWORD })
})

t.test('serve', async t => {
  const settings = await freshSettings(t)
  const service = command(t, ['serve'], { settings })
  const origin = await originOf(service)

  t.test('runs with nothing configured, and says where and what to try', async t => {
    await service.says(/Countersign is running at /)
    const { stdout } = service.output()
    t.ok(stdout.includes(`running at http://localhost:${new URL(origin).port}\n`), 'with the port that was free')
    t.match(stdout, /API page: {3}\S+\/docs/)
    t.match(stdout, /curl \S+\/auth\/register -H 'content-type: application\/json' -d /)
    t.equal((await fetch(`${origin}/health/ready`)).status, 200)
    t.equal(statSync(join(settings.DATA_DIR ?? '', 'secrets.json')).mode & 0o777, 0o600)
  })

  t.test('has what is loaded late: the API page, and what Prisma compiles its queries with', async t => {
    const page = await fetch(`${origin}/docs/`)
    t.match(page.headers.get('content-type'), /^text\/html/)
    t.equal(page.status, 200)
    const { accessToken } = await (await register(origin, 'grace@example.com')).json() as LoginBody
    const identities = await fetch(`${origin}/auth/identities`, { headers: { authorization: `Bearer ${accessToken}` } })
    t.strictSame(await identities.json(), { items: [] })
  })

  t.test('logs JSON lines where there is no terminal', async t => {
    t.equal((await register(origin)).status, 201)
    await service.says(/"route":"\/auth\/register","status":201/)
    const lines = service.output().stdout.split('\n').filter(line => line.startsWith('{'))
    t.ok(lines.length > 1)
    for (const line of lines) t.type((JSON.parse(line) as { level: number }).level, 'number')
  })

  t.test('has its flags, though it was started without any', { skip: process.platform !== 'linux' && 'needs /proc' }, t => {
    const read = (name: string) => readFileSync(`/proc/${processOf(service)}/${name}`, 'utf8').split('\0')
    for (const flag of SERVE_FLAGS) t.ok(read('cmdline').includes(flag), flag)
    t.ok(read('environ').includes('MALLOC_ARENA_MAX=1'))
    t.end()
  })

  t.test('lets the thread that answers go before those that hash', { skip: process.platform !== 'linux' }, t => {
    const pid = processOf(service)
    const tasks = `/proc/${pid}/task`
    const niceness = (task: string) => Number(readFileSync(`${task}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[16])
    const [usual, others] = [niceness('/proc/self'), readdirSync(tasks).filter(thread => thread !== pid)]
    t.equal(niceness(`${tasks}/${pid}`), usual)
    t.ok(others.length > 4)
    t.same(new Set(others.map(thread => niceness(`${tasks}/${thread}`))), new Set([Math.min(usual + 10, 19)]))
    t.end()
  })

  t.test('finishes what it has begun when it is told to stop, then ends at once, with exit code 0', async t => {
    const { hostname, port } = new URL(origin)
    const body = JSON.stringify({ email: 'ada@example.com', password: PASSWORD })
    const [busy, silent, idle] = [connect(Number(port), hostname), connect(Number(port), hostname), connect(Number(port), hostname)]
    await Promise.all([busy, silent, idle].map(socket => once(socket, 'connect')))
    idle.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')
    busy.write(`POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`)
    // Once the answer to a later request is there, the beginning of this one has been read.
    t.equal((await fetch(`${origin}/health/live`)).status, 200)

    const closed = Promise.all([silent, idle].map(socket => once(socket.resume(), 'close')))
    const began = performance.now()
    service.signal('SIGTERM')
    await service.says(/"msg":"shutting down"/)
    await closed
    await t.rejects(fetch(`${origin}/health/live`), 'nobody new is let in')
    busy.write(body.slice(9))
    const answer = text(busy)
    t.match(await answer, /^HTTP\/1\.1 200 OK[^]*"accessToken"/)
    t.match(await service.ended, { code: 0, stderr: '' })
    t.ok(performance.now() - began < 20_000, `${Math.round(performance.now() - began)} ms`)
  })

  t.test('goes on with its data, and its tokens, when it is started again', async t => {
    const again = command(t, ['serve'], { settings })
    const there = await originOf(again)
    t.equal((await register(there)).status, 409)
    again.signal('SIGINT')
    t.equal((await again.ended).code, 0)
  })
})

t.test('serve is the same command in the image and in npm start, which gives it no flags of its own', t => {
  const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { serve: string } }
  t.equal(scripts.serve, 'node dist/bin/main.js serve')
  t.match(read('Dockerfile'), `CMD ${JSON.stringify(scripts.serve.split(' ')).replaceAll(',', ', ')}`)
  t.end()
})

t.test('serve refuses to start, in one sentence and with exit code 1', async t => {
  t.test('on a port that is in use', async t => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.teardown(() => { other.close() })
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await command(t, ['serve'], { settings: { ...await freshSettings(t), PORT: String(port) } }).ended
    t.equal(code, 1)
    t.match(stderr, SENTENCE)
    t.match(stderr, new RegExp(`Port ${port} .* in use`))
  })

  t.test('on an address that this machine has not', async t => {
    const { code, stderr } = await command(t, ['serve'], { settings: { ...await freshSettings(t), HOST: '192.0.2.1' } }).ended
    t.match({ code, stderr }, { code: 1, stderr: SENTENCE })
    t.match(stderr, /192\.0\.2\.1/)
  })

  t.test('on a database that cannot be reached', async t => {
    const settings = { ...SECRETS, DATABASE_URL: 'postgres://ada:hunter2@127.0.0.1:9/x', DATA_DIR: await temporaryDirectory(t) }
    const { code, stderr } = await command(t, ['serve'], { settings }).ended
    t.match({ code, stderr }, { code: 1, stderr: SENTENCE })
    t.match(stderr, /127\.0\.0\.1/)
    t.notMatch(stderr, /hunter2/)
  })

  t.test('as a role that may not read the revocations, though the database is there', onPostgres, async t => {
    const { url = '', dataDir } = await testDatabase(t)
    const role = `countersign_test_${randomBytes(6).toString('hex')}`
    await onServer(url, async server => {
      await server.query(`CREATE ROLE ${role} LOGIN`)
      await server.query(`GRANT SELECT ON _prisma_migrations TO ${role}`)
    })
    t.teardown(() => onServer(url, async server => {
      await server.query(`DROP OWNED BY ${role}`)
      await server.query(`DROP ROLE ${role}`)
    }))
    const theirs = new URL(url)
    theirs.username = role
    const { code, stderr } = await command(t, ['serve'], { settings: { ...SECRETS, PORT: '0', DATABASE_URL: theirs.href, DATA_DIR: dataDir } }).ended
    t.match({ code, stderr }, { code: 1, stderr: SENTENCE })
    t.match(stderr, /127\.0\.0\.1:5432 .*revocations/)
  })

  t.test('in production without what production needs', async t => {
    const { code, stderr } = await command(t, ['serve'], { settings: { NODE_ENV: 'production', DATA_DIR: await temporaryDirectory(t) } }).ended
    t.equal(code, 1)
    for (const variable of ['DATABASE_URL', 'COUNTERSIGN_SECRET', 'JWT_SECRET']) t.match(stderr, new RegExp(`^  ${variable} is required in production`, 'm'))
  })

  t.test('in a data directory that another process holds', async t => {
    const { dataDir } = await testDatabase(t)
    const settings = { ...SECRETS, ...CHEAP, PORT: '0', DATA_DIR: dataDir }
    const first = command(t, ['serve'], { settings })
    const origin = await originOf(first)
    const { code, stderr } = await command(t, ['serve'], { settings }).ended
    t.match({ code, stderr }, { code: 1, stderr: SENTENCE })
    const response = await register(origin)
    t.equal(response.status, 201, 'the first is not disturbed')
    t.ok((await response.json() as LoginBody).accessToken)
  })
})
