import t from 'tap'
import { findWeakness } from '../../src/config/secret-strength.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { databaseUrl, emptyPostgres, silent, temporaryDirectory, testDatabase } from '../support/database.ts'
import { mailsOf } from '../support/inbox.ts'
import { PASSWORD, startService } from '../support/service.ts'
import { command } from './command.ts'
import { runCommand } from './many-commands.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const CHEAP = { ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '1' }

/** One sentence and its line end: no stack, no screen of text. */
const SENTENCE = /^[^\n]+\n$/
const STACK = /^\s+at |node:internal|\.js:\d+/m

t.test('secret prints a new strong secret each time', async t => {
  const [one, two] = await Promise.all([command(t, ['secret']).ended, runCommand(['secret', '--json'])])
  t.match(one, { code: 0, stdout: /^[\w-]{43}\n$/, stderr: '' })
  t.equal(two.code, 0)
  const { secret } = JSON.parse(two.stdout) as { secret: string }
  t.equal(findWeakness(secret), undefined)
  t.equal(findWeakness(one.stdout.trim()), undefined)
  t.not(secret, one.stdout.trim())
})

t.test('--help tells how each command is used', async t => {
  await Promise.all([[], ['serve'], ['migrate'], ['secret'], ['users'], ['users', 'create']].map(async args => {
    const { code, stdout, stderr } = await (args.length === 0 ? command(t, ['--help']).ended : runCommand([...args, '--help']))
    t.match({ code, stdout, stderr }, { code: 0, stdout: new RegExp(`^Usage: countersign ${args.join(' ')}`.trimEnd()), stderr: '' }, args.join(' '))
  }))
})

t.test('wrong usage is exit code 2, and says what is wrong', async t => {
  const wrong: Array<[args: string[], said: RegExp]> = [
    [['dance'], /unknown command 'dance'/],
    [['secret', '--colour'], /unknown option '--colour'/],
    [['serve', 'now'], /too many arguments/],
    [['users', 'create'], /--email/],
    [['users', 'create', '--email', 'ada@example.com', '--role', 'root'], /user, admin/],
    [['users', 'create', '--email'], /argument missing/],
    [['users', 'create', '--email', 'nobody'], /nobody is not an e-mail address/],
    [['users', 'create', '--email', 'ada@example.com', '--name', ''], /at most 200 characters/],
    [['users', 'create', '--email', 'ada@example.com', '--name', 'x'.repeat(201)], /at most 200 characters/]
  ]
  await Promise.all(wrong.map(async ([args, said]) => {
    const { code, stdout, stderr } = await (args[0] === 'dance' ? command(t, args).ended : runCommand(args))
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: said }, args.join(' '))
    t.notMatch(stderr, STACK)
  }))
  t.equal((await runCommand([])).code, 2, 'nothing at all')
})

t.test('migrate tells what it applied, and then that there is nothing to do', async t => {
  const where = databaseUrl === undefined ? { DATA_DIR: await temporaryDirectory(t) } : { DATABASE_URL: await emptyPostgres(t) }
  const settings = { ...SECRETS, ...where }
  const first = await command(t, ['migrate', '--json'], { settings }).ended
  t.match(first, { code: 0, stderr: '' })
  const { migrated } = JSON.parse(first.stdout) as { migrated: string[] }
  if (databaseUrl !== undefined) t.match(migrated[0], /^\d{14}_init$/)
  const second = await runCommand(['migrate', '--json'], { settings })
  t.strictSame(JSON.parse(second.stdout), { migrated: [] })
  t.match(await runCommand(['migrate'], { settings }), { code: 0, stdout: /^Nothing to do.*\n$/ })
})

t.test('users create', async t => {
  const { url, dataDir } = await testDatabase(t)
  const settings = { ...SECRETS, ...CHEAP, DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
  const create = (args: string[], input: string) => runCommand(['users', 'create', ...args], { settings, input })

  const made = await command(t, ['users', 'create', '--email', ' Root@Example.com ', '--role', 'admin', '--name', 'Root', '--json'], { settings, input: `${PASSWORD}\n` }).ended
  const user = await create(['--email', 'user@example.com'], PASSWORD)
  const taken = await create(['--email', 'ROOT@example.com'], PASSWORD)
  const weak = await create(['--email', 'weak@example.com'], 'password1\n')
  const empty = await create(['--email', 'weak@example.com'], '')

  t.test('makes an account of the password on standard input', async t => {
    t.match(made, { code: 0, stderr: '' })
    t.match(JSON.parse(made.stdout), { id: /^[0-9a-f-]{36}$/, email: 'root@example.com', role: 'admin' })
    t.match(user, { code: 0, stdout: /^Created user@example\.com \(user\), id [0-9a-f-]{36}\.\n$/ })
  })

  t.test('refuses what it cannot do in one sentence, with exit code 1', async t => {
    for (const { code, stdout, stderr } of [taken, weak, empty]) t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: SENTENCE })
    t.match(taken.stderr, /exists/)
    t.match(weak.stderr, /^[A-Z][^\n]* [^\n]*\.\n$/, 'a sentence')
    t.notMatch(weak.stderr, /password1/)
  })

  t.test('makes an admin whom the service knows', async t => {
    const service = await startService(t, settings)
    const { accessToken } = await service.logIn({ email: 'root@example.com', password: PASSWORD })
    t.match(await service.call('GET /admin/users', { token: accessToken }), { status: 200, body: { items: [{ email: 'root@example.com', role: 'admin' }, { email: 'user@example.com', role: 'user' }] } })
  })
})

t.test('users create --invite mails its owner a link, and asks for no password', async t => {
  const { url, dataDir } = await testDatabase(t)
  const settings = { ...SECRETS, ...CHEAP, DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
  const invited = await command(t, ['users', 'create', '--invite', '--email', 'Root@example.com', '--role', 'admin', '--json'], { settings }).ended
  t.match(invited, { code: 0, stderr: '' })
  t.match(JSON.parse(invited.stdout), { id: /^[0-9a-f-]{36}$/, email: 'root@example.com', role: 'admin' })
  const taken = await command(t, ['users', 'create', '--invite', '--email', 'root@example.com'], { settings }).ended
  t.match(taken, { code: 1, stdout: '', stderr: /exists/ })

  const service = await startService(t, settings)
  const [mail, ...more] = await mailsOf(service, 'root@example.com')
  t.strictSame(more, [])
  t.equal(mail?.message, 'invitation')
  t.equal((await service.call('POST /auth/password/reset', { json: { token: mail?.token, newPassword: PASSWORD } })).status, 204)
  const { accessToken } = await service.logIn({ email: 'root@example.com', password: PASSWORD })
  t.equal((await service.call('GET /admin/users', { token: accessToken })).status, 200)

  const production = await command(t, ['users', 'create', '--invite', '--email', 'ada@example.com'], { settings: { ...settings, NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true', DATA_DIR: await temporaryDirectory(t) } }).ended
  t.match(production, { code: 1, stdout: '', stderr: 'SMTP_URL is not set: nobody can be invited.\n' })
})

t.test('a configuration that is not usable stops every command but those that need none', async t => {
  const settings = { JWT_SECRET: 'secret', ACCESS_TOKEN_TTL: '2h', PORT: 'x', DATA_DIR: await temporaryDirectory(t) }
  for (const args of [['serve'], ['migrate'], ['users', 'create', '--email', 'ada@example.com']]) {
    const { code, stdout, stderr } = await (args[0] === 'serve' ? command(t, args, { settings, input: PASSWORD }).ended : runCommand(args, { settings, input: PASSWORD }))
    t.equal(code, 1, args.join(' '))
    t.equal(stdout, '')
    for (const variable of ['JWT_SECRET', 'ACCESS_TOKEN_TTL', 'PORT']) t.match(stderr, new RegExp(`^  ${variable} `, 'm'))
    t.notMatch(stderr, STACK)
    t.ok(stderr.split('\n').length < 24, 'in one screen')
  }
  t.equal((await runCommand(['secret'], { settings })).code, 0)
})

t.test('users unlock clears the failures of an account, and verify-email vouches for its address', async t => {
  const where = await testDatabase(t)
  const settings = { ...SECRETS, ...CHEAP, ...where.url !== undefined ? { DATABASE_URL: where.url } : { DATA_DIR: where.dataDir } }
  const created = await runCommand(['users', 'create', '--email', 'ada@example.com', '--json'], { settings, input: `${PASSWORD}\n` })
  const { id } = JSON.parse(created.stdout) as { id: string }
  const unlocked = await command(t, ['users', 'unlock', '--email', 'Ada@Example.com', '--json'], { settings }).ended
  t.match(unlocked, { code: 0, stderr: '' })
  t.strictSame(JSON.parse(unlocked.stdout), { id, email: 'ada@example.com' })
  const verified = await runCommand(['users', 'verify-email', 'Ada@Example.com', '--json'], { settings })
  t.match(verified, { code: 0, stderr: '' })
  t.strictSame(JSON.parse(verified.stdout), { id, email: 'ada@example.com' })
  t.strictSame(await runCommand(['users', 'verify-email', 'nobody@example.com'], { settings }).then(({ code, stderr }) => ({ code, stderr })), { code: 1, stderr: 'There is no account nobody@example.com.\n' })
  const unknown = await runCommand(['users', 'unlock', '--email', 'nobody@example.com'], { settings })
  t.strictSame({ code: unknown.code, stderr: unknown.stderr }, { code: 1, stderr: 'There is no account nobody@example.com.\n' })
})

t.test('users enable lets a disabled account in again, by its id', async t => {
  const where = await testDatabase(t)
  const settings = { ...SECRETS, ...CHEAP, ...where.url !== undefined ? { DATABASE_URL: where.url } : { DATA_DIR: where.dataDir } }
  const { id } = JSON.parse((await runCommand(['users', 'create', '--email', 'ada@example.com', '--json'], { settings, input: `${PASSWORD}\n` })).stdout) as { id: string }
  const isDisabled = async () => {
    const database = await openDatabase({ ...where, log: silent })
    const { disabledAt } = await database.prisma.user.findUniqueOrThrow({ where: { id } })
    await database.close()
    return disabledAt !== null
  }
  const database = await openDatabase({ ...where, log: silent })
  await database.prisma.user.update({ where: { id }, data: { disabledAt: new Date() } })
  await database.close()
  const enabled = await command(t, ['users', 'enable', '--id', id, '--json'], { settings }).ended
  t.match(enabled, { code: 0, stderr: '' })
  t.strictSame(JSON.parse(enabled.stdout), { id })
  t.notOk(await isDisabled())
  const nobody = '01890a5d-ac96-774b-bcce-b302099a8057'
  const unknown = await runCommand(['users', 'enable', '--id', nobody], { settings })
  t.strictSame({ code: unknown.code, stderr: unknown.stderr }, { code: 1, stderr: `There is no account ${nobody}.\n` })
  t.match(await runCommand(['users', 'enable', '--id', 'ada@example.com'], { settings }), { code: 2, stderr: /a UUID/ })
})
