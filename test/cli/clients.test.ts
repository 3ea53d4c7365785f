import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { testDatabase } from '../support/database.ts'
import { introspect, post, type TestClient } from '../support/oauth.ts'
import { startService, type LoginBody } from '../support/service.ts'
import { command } from './command.ts'
import { runCommand } from './many-commands.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const CHEAP = { ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '1' }
const SENTENCE = /^[^\n]+\n$/

t.test('clients', async t => {
  const { url, dataDir } = await testDatabase(t)
  const settings = { ...SECRETS, ...CHEAP, DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
  const run = (...args: string[]) => runCommand(['clients', ...args], { settings })
  const json = async <Result>(...args: string[]): Promise<Result> => {
    const { code, stdout, stderr } = await run(...args, '--json')
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as Result
  }
  interface Made extends TestClient { audienceKey?: string, audienceKeys?: string[], scopes: string[] }

  const cart = await json<Made>('create', '--name', 'Cart', '--audience', 'cart', '--scope', 'introspect sessions:revoke')
  const plain = await json<Made>('create', '--name', 'Mailer', '--scope', 'introspect introspect orders:read')
  const text = await run('create', '--name', 'Depot', '--audience', 'depot')
  const shared = await json<Made>('create', '--name', 'Gate', '--audience', 'api')

  t.test('create prints an id, a secret and the key of an own audience, and JWT_SECRET never', async t => {
    t.match(cart, { id: /^client_[0-9a-f]{24}$/, name: 'Cart', audience: 'cart', scopes: ['introspect', 'sessions:revoke'], secret: /^[\w-]{43}$/, audienceKey: /^[\w-]{43}$/ })
    t.match(plain, { id: /^client_/, audience: null, scopes: ['introspect', 'orders:read'], secret: /^[\w-]{43}$/ })
    t.notOk('audienceKey' in plain)
    t.match(text, { code: 0, stderr: '', stdout: /^Registered Depot\..*\n {2}client id {6}client_[0-9a-f]{24}\n {2}client secret {2}[\w-]{43}\n {2}audience key {3}[\w-]{43}\n$/ })
    t.match(shared, { audience: null, audienceKey: undefined }, 'JWT_AUDIENCE is nobody\'s own')
    t.notOk((JSON.stringify([cart, plain, shared]) + text.stdout).includes(SECRETS.JWT_SECRET))
  })

  // Awaited: on the embedded database one command at a time has its directory.
  await t.test('what is no client is refused, in one sentence', async t => {
    const taken = await run('create', '--name', 'Other', '--audience', 'cart')
    t.match(taken, { code: 1, stdout: '', stderr: /^Another client has the audience cart.*\n$/ })
    const wrong = await Promise.all([['create', '--name', ''], ['create', '--name', 'x', '--audience', 'a b'], ['create', '--name', 'x', '--scope', 'ä'], ['rotate', 'x', '--overlap', '1'], ['rotate', 'x', '--overlap', '1h', '--end-old']].map(args => run(...args)))
    for (const { code, stdout, stderr } of wrong) t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: /error/ })
  })

  const listed = await run('list')
  const rotated = await json<Made & { previousSecretEndsAt: string }>('rotate', cart.id, '--overlap', '1h')
  const next = await run('key', cart.id, '--next')
  const promoted = await json<Made>('key', cart.id, '--promote')
  const ring = await runCommand(['clients', 'key', cart.id], { settings: { ...settings, COUNTERSIGN_SECRET: `${SECRETS.COUNTERSIGN_SECRET},${generateSecret()}` } })
  const removed = await run('remove', plain.id)
  const again = await command(t, ['clients', 'remove', plain.id, '--json'], { settings }).ended

  t.test('list shows them all, and no secret', async t => {
    t.match(listed, { code: 0, stdout: new RegExp(`^${cart.id} {2}Cart {2}audience cart {2}introspect {2}sessions:revoke$`, 'm') })
    t.match(listed.stdout, new RegExp(`^${plain.id} {2}Mailer {2}introspect {2}orders:read$`, 'm'))
    for (const secret of [cart.secret, plain.secret]) t.notOk(listed.stdout.includes(secret))
  })

  t.test('key prints what a service appends before it signs', async t => {
    t.equal(next.stdout, `${promoted.audienceKey}\n`)
    t.not(promoted.audienceKey, cart.audienceKey)
    t.match(ring.stdout, new RegExp(`^${promoted.audienceKey},[\\w-]{43}\n$`), 'one for each secret of the ring')
  })

  t.test('remove ends a client, once', async t => {
    t.match(removed, { code: 0, stdout: `Removed Mailer, ${plain.id}.\n` })
    t.match(again, { code: 1, stdout: '', stderr: SENTENCE })
  })

  t.test('the service knows them: both secrets of the rotated one, and not the removed one', async t => {
    const service = await startService(t, settings)
    const grant = async (id: string, secret: string) => (await post(service, '/oauth/token', { grant_type: 'client_credentials' }, { id, secret })).status
    t.strictSame([await grant(cart.id, cart.secret), await grant(cart.id, rotated.secret), await grant(plain.id, plain.secret)], [200, 200, 401])
    const { email, password } = await service.person()
    const { body } = await service.call<LoginBody>('POST /auth/login', { json: { email, password, audience: 'cart' } })
    t.match(await introspect(service, body.accessToken, { id: cart.id, secret: rotated.secret }), { active: true, aud: 'cart' })
  })

  t.test('the audit trail tells of each change, and of no secret', async t => {
    const service = await startService(t, settings)
    const rows = await service.sql<{ action: string, detail: { clientId: string } }>("SELECT action, detail FROM audit_events WHERE action LIKE 'client\\_%' ORDER BY at, id")
    const ofCart = rows.filter(({ detail }) => detail.clientId === cart.id).map(({ action }) => action)
    for (const action of ['client_create', 'client_rotate', 'client_key']) t.ok(ofCart.includes(action), action)
    t.ok(rows.some(({ action, detail }) => action === 'client_remove' && detail.clientId === plain.id))
    t.notOk(JSON.stringify(rows).includes(cart.secret))
    t.match(await service.sql("SELECT kind::text AS kind, subject FROM revocations WHERE kind = 'client'"), [{ kind: 'client', subject: plain.id }])
  })
})
