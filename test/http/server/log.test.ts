import { randomBytes } from 'node:crypto'
import t from 'tap'
import { startService, type Call } from '../../support/service.ts'

/** A word that is nowhere else in the world. */
const canary = () => `canary${randomBytes(8).toString('hex')}`

t.test('the log', async t => {
  const service = await startService(t, { LOG_LEVEL: 'trace' })
  const ada = await service.person()
  const admin = await service.admin()
  const cookies = await service.cookiesOf(ada)
  const secrets = () => [ada, admin].flatMap(({ password, accessToken, refreshToken }) => [password, accessToken, refreshToken, accessToken.split('.')[2] ?? '', refreshToken.split('.')[3] ?? ''])
    .concat(Object.values(cookies), service.config.secrets, service.config.jwtSecrets)

  /** Asks in every way with a canary in every field, and gives the canaries. */
  async function askEverything (): Promise<string[]> {
    const canaries: string[] = []
    const bird = () => {
      const word = canary()
      canaries.push(word)
      return word
    }
    const fields = () => ({
      email: `${bird()}@example.com`,
      password: `correct horse ${bird()}`,
      name: bird(),
      deliver: 'body',
      refreshToken: bird(),
      currentPassword: bird(),
      newPassword: `correct horse ${bird()}`,
      token: bird(),
      code: bird(),
      secret: bird(),
      [bird()]: bird()
    })
    const headers = () => Object.fromEntries(['authorization', 'cookie', 'x-forwarded-for', 'x-forwarded-host', 'forwarded', 'referer', 'user-agent', 'idempotency-key', 'x-request-id', 'request-id',
      'x-api-key', 'proxy-authorization', 'countersign-client', 'x-countersign', 'sec-fetch-site', 'x-auth-user-id', 'accept', 'if-none-match', bird()].map(name => [name, name === 'cookie' ? `access=${bird()}; refresh=${bird()}; ${bird()}=${bird()}` : bird()]))
    const { email, password, name } = fields()
    const asks: Array<[target: string, call: Call]> = [
      ['POST /auth/register', { json: { email, password, name } }],
      ['POST /auth/register', { json: { email, password, name } }],
      ['POST /auth/register', { json: { email: `${bird()}@example.com`, password: bird().slice(0, 5), name } }],
      ['POST /auth/register', { json: { email: bird(), password, name } }],
      ['POST /auth/login', { json: { email, password } }],
      ['POST /auth/login', { json: { email, password: bird() } }],
      ['POST /auth/login', { text: `{"email":"${bird()}","password":"${bird()}"`, headers: { 'content-type': 'application/json' } }],
      ['POST /auth/login', { text: bird(), headers: { 'content-type': `text/${bird()}` } }],
      ['POST /auth/login', { json: { email: `${bird()}\0`, password: bird() } }],
      ['PATCH /auth/me', { json: { name: bird() }, token: ada.accessToken }],
      ['POST /auth/password', { json: { currentPassword: bird(), newPassword: `correct horse ${bird()}`, refreshToken: bird() }, token: ada.accessToken }],
      ['POST /auth/logout', { json: { refreshToken: bird() } }],
      ['POST /auth/refresh', { json: { refreshToken: ada.refreshToken }, headers: { 'idempotency-key': bird() } }],
      [`GET /admin/users?cursor=${bird()}&${bird()}=${bird()}`, { token: admin.accessToken }],
      [`GET /auth/verify?access_token=${bird()}&code=${bird()}&state=${bird()}`, {}],
      [`GET /${bird()}/${bird()}?x=${bird()}`, {}],
      [`GET /%zz${bird()}`, {}]
    ]
    for (const [target, call] of asks) await service.call(target, call)
    for (const target of ['POST /auth/register', 'POST /auth/login', 'POST /auth/refresh', 'POST /auth/logout', 'PATCH /auth/me', 'POST /auth/password', 'GET /auth/verify', 'GET /admin/users', `DELETE /auth/sessions/${bird()}`, `PATCH /admin/users/${bird()}`]) {
      await service.call(`${target}?${bird()}=${bird()}`, { json: fields(), headers: headers() })
      await service.call(target, { json: fields(), token: bird() })
      await service.call(target, { json: fields(), cookies: { ...cookies, access: bird() }, headers: { 'sec-fetch-site': 'same-origin' } })
    }
    return canaries
  }

  const found = (words: readonly string[]) => {
    const text = service.logText()
    return words.filter(word => text.includes(word) || text.includes(encodeURIComponent(word)) || text.includes(Buffer.from(word).toString('base64')))
  }

  t.test('holds nothing of what was sent in any field', async t => {
    const canaries = await askEverything()
    t.ok(canaries.length > 400, `${canaries.length} canaries`)
    t.ok(service.log.length > 40, `${service.log.length} lines`)
    t.strictSame(found([...canaries, ...secrets()]), [])
    t.strictSame(found(['/auth/verify']), ['/auth/verify'], 'what is there would be found')
  })

  t.test('holds nothing of it when the database fails either', async t => {
    for (const table of ['users', 'sessions', 'revocations', 'audit_events']) {
      await service.sql(`ALTER TABLE ${table} RENAME TO ${table}_away`)
      const canaries = await askEverything().finally(() => service.sql(`ALTER TABLE ${table}_away RENAME TO ${table}`))
      t.strictSame(found([...canaries, ...secrets()]), [], table)
    }
    t.ok(service.log.some(({ level }) => level === 50), 'and there were failures to tell of')
  })

  t.test('holds nothing of a row that the database refuses, whatever its error tells', async t => {
    await service.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'refused %', NEW USING DETAIL = NEW::text, HINT = NEW::text; END $$`)
    const refusals = [
      ['ADD CONSTRAINT refused CHECK (false) NOT VALID', 'DROP CONSTRAINT refused', '23514'],
      ['ADD CONSTRAINT refused CHECK (row_to_json(%)::text::int > 0) NOT VALID', 'DROP CONSTRAINT refused', '22P02']
    ] as const
    const hashes = await service.sql<{ hash: string }>('SELECT password_hash AS hash FROM users')
    const away = hashes.map(({ hash }) => hash)
    for (const table of ['users', 'sessions', 'audit_events']) {
      const failed = async (refuse: string, allow: string, code: string) => {
        const before = service.log.length
        await service.sql(refuse)
        const canaries = await askEverything().finally(() => service.sql(allow))
        t.strictSame(found([...canaries, ...secrets(), ...away, ada.email, 'argon2id']), [], `${table} ${code}`)
        t.match(JSON.stringify(service.log.slice(before)), code, `${table}: the log has the code ${code}`)
      }
      for (const [refuse, allow, code] of refusals) await failed(`ALTER TABLE ${table} ${refuse.replace('%', table)}`, `ALTER TABLE ${table} ${allow}`, code)
      await failed(`CREATE TRIGGER refused BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`, `DROP TRIGGER refused ON ${table}`, 'P0001')
    }
  })

  t.test('tells of each request by its route and not by its address', async t => {
    const before = service.log.length
    await service.call('GET /auth/verify/orders?access_token=x', { token: ada.accessToken, from: '192.0.2.9' })
    await service.call(`GET /admin/users/${ada.user.id}`, { token: admin.accessToken })
    await service.call('GET /nothing/at/all')
    const lines = service.log.slice(before).filter(({ msg }) => msg === 'request completed')
    t.match(lines, [
      { level: 30, method: 'GET', route: '/auth/verify/*', status: 200, ip: '192.0.2.9', reqId: /./ },
      { method: 'GET', route: '/admin/users/:id', status: 200 },
      { method: 'GET', route: null, status: 404 }
    ])
    for (const { ms } of lines) t.type(ms, 'number')
  })

  t.test('leaves secrets out of objects that somebody logs', async t => {
    const word = canary()
    const { log } = service.app
    const line = { password: word, headers: { authorization: word, cookie: word, 'countersign-client': word }, body: { refreshToken: word }, req: { headers: { 'set-cookie': word } }, asked: { headers: { 'set-cookie': word } }, accessToken: word, list: [{ token: word }] }
    const before = structuredClone(line)
    log.info({ ...line, kept: { of: [1, 'two', null], and: Buffer.from('bytes'), at: new Date(0) } }, 'something')
    t.match(service.log.at(-1), {
      msg: 'something',
      password: '[redacted]',
      headers: { authorization: '[redacted]', cookie: '[redacted]', 'countersign-client': '[redacted]' },
      body: { refreshToken: '[redacted]' },
      asked: { headers: { 'set-cookie': '[redacted]' } },
      list: [{ token: '[redacted]' }],
      kept: { of: [1, 'two', null], and: { type: 'Buffer' }, at: '1970-01-01T00:00:00.000Z' }
    })
    t.same(line, before, 'whoever logs an object still has the secret')
    log.info(Object.freeze({ token: word }), 'of %j', { password: word })
    t.match(service.log.at(-1), { token: '[redacted]', msg: 'of {"password":"[redacted]"}' })
    log.info({}, { secret: word } as unknown as string)
    log.info({ account: new class { id = 1; passwordHash = word; private = word; toJSON () { return { id: this.id } } }() })
    t.match(service.log.at(-1), { account: { id: 1 } })
    log.child({ token: word }).warn(Object.assign(new Error('failed'), { secret: word, config: { password: word } }))
    t.match(service.log.at(-1), { token: '[redacted]', msg: 'failed', err: { type: 'Error', message: 'failed' } })
    t.strictSame(found([word]), [])
  })
})
