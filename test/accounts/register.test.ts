import t from 'tap'
import { until } from '../support/until.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type LoginBody } from '../support/service.ts'

t.test('registering', async t => {
  const service = await startService(t, { ARGON2_MEMORY_KIB: '7168' })
  const register = (json: unknown, from?: string) => service.call('POST /auth/register', { json, ...from !== undefined && { from } })
  const count = async (email: string) => (await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM users WHERE email = $1', email))[0]?.count

  t.test('creates an account and logs in', async t => {
    const { status, headers, body, cookies } = await service.call<LoginBody>('POST /auth/register', { json: { email: 'ada@example.com', password: PASSWORD, name: 'Ada Lovelace' } })
    t.equal(status, 201)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(Object.keys(body).sort(), ['accessToken', 'expiresIn', 'refreshToken', 'tokenType', 'user'])
    t.strictSame(Object.keys(body.user).sort(), ['createdAt', 'email', 'emailVerified', 'id', 'name', 'role'])
    t.match(body, { tokenType: 'Bearer', expiresIn: 600, user: { email: 'ada@example.com', emailVerified: false, name: 'Ada Lovelace', role: 'user' } })
    t.strictSame(cookies, {})
    t.match(await service.call('GET /auth/me', { token: body.accessToken }), { status: 200, body: body.user })
    t.ok(Math.abs(Date.parse(body.user.createdAt) - Date.now()) < 60_000)
  })

  t.test('needs no name', async t => {
    const { status, body } = await service.call<LoginBody>('POST /auth/register', { json: { email: 'nameless@example.com', password: PASSWORD } })
    t.equal(status, 201)
    t.equal(body.user.name, null)
  })

  t.test('stores the password only as an argon2id hash, and shows it to nobody', async t => {
    const { text } = await register({ email: 'secretive@example.com', password: PASSWORD })
    t.notMatch(text, /\$argon2|correct horse|hash"/i)
    const [row] = await service.sql<Record<string, unknown>>("SELECT * FROM users WHERE email = 'secretive@example.com'")
    t.match(row?.password_hash, /^\$argon2id\$v=19\$m=7168,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    t.notMatch(JSON.stringify(row), PASSWORD)
  })

  t.test('normalises the address, and knows it again however it is written', async t => {
    const { status, body } = await service.call<LoginBody>('POST /auth/register', { json: { email: '  Grace.HOPPER@Example.COM\t', password: PASSWORD } })
    t.equal(status, 201)
    t.equal(body.user.email, 'grace.hopper@example.com')
    for (const email of ['grace.hopper@example.com', 'GRACE.HOPPER@EXAMPLE.COM', ' grace.hopper@example.com ', 'ｇrace.hopper@example.com', 'grace.hopper@ex\u{1d41a}mple.com']) {
      isProblem(t, await register({ email, password: PASSWORD }), 'email_taken', email)
    }
    t.equal((await register({ email: 'jürgen@bücher.example', password: PASSWORD })).status, 201)
    isProblem(t, await register({ email: 'ju\u0308rgen@bu\u0308cher.example', password: PASSWORD }), 'email_taken', 'composed or decomposed')
    isProblem(t, await register({ email: 'jürgen@xn--bcher-kva.example', password: PASSWORD }), 'email_taken', 'in A-labels')
    t.equal(await count('jürgen@xn--bcher-kva.example'), 1)
    t.equal((await service.call('POST /auth/login', { json: { email: 'Jürgen@BÜCHER.example', password: PASSWORD } })).status, 200)
  })

  t.test('knows an account that an earlier version stored with U-labels, by either spelling', async t => {
    for (const [n, written] of ['bücher.example', 'xn--bcher-kva.example'].entries()) {
      const [person] = [await service.person()]
      await service.sql('UPDATE users SET email = $2 WHERE id = $1::uuid', person.user.id, `former-${n}@bücher.example`)
      isProblem(t, await register({ email: `former-${n}@${written}`, password: PASSWORD }), 'email_taken', written)
      t.strictSame(await service.sql('SELECT email FROM users WHERE id = $1::uuid', person.user.id), [{ email: `former-${n}@xn--bcher-kva.example` }])

      await service.sql('UPDATE users SET email = $2 WHERE id = $1::uuid', person.user.id, `former-${n}@bücher.example`)
      const { status, body } = await service.call<LoginBody>('POST /auth/login', { json: { email: `former-${n}@${written}`, password: PASSWORD } })
      t.match({ status, body }, { status: 200, body: { user: { id: person.user.id, email: `former-${n}@xn--bcher-kva.example` } } })
    }
  })

  t.test('and what is no address changes no account, whatever it would be read as in a URL', async t => {
    const { user } = await service.person()
    await service.sql('UPDATE users SET email = $2 WHERE id = $1::uuid', user.id, 'victim@0.0.0.1.example.com')
    const { user: other, email, password } = await service.person()
    for (const written of ['victim@1.example.com', 'victim@0x1.example.com', email.replace('.', '%2e'), email.replace('com', 'com/x'), email.replace('com', 'com#x')]) {
      t.equal((await service.call('POST /auth/login', { json: { email: written, password: 'a guess' } })).status, 401)
    }
    t.strictSame(await service.sql('SELECT email FROM users WHERE id = $1::uuid', user.id), [{ email: 'victim@0.0.0.1.example.com' }])
    t.strictSame(await service.sql('SELECT email FROM users WHERE id = $1::uuid', other.id), [{ email }])
    t.equal((await service.call('POST /auth/login', { json: { email, password } })).status, 200)
  })

  t.test('refuses an address with characters that cannot be seen or told apart, and says so', async t => {
    for (const character of ['\u200b', '\u00ad', '\ufeff', '\u202e', '\ue000', '\u0378', '\ufe0f', '\u3164', '\u0007', '\ud800']) {
      for (const email of [`a${character}da@example.com`, `ada@ex${character}ample.com`]) {
        const answer = await register({ email, password: PASSWORD })
        isProblem(t, answer, 'validation_failed', JSON.stringify(email))
        t.match(answer.body, { errors: [{ field: 'email', pointer: '#/email', detail: 'must be an e-mail address, without invisible or unassigned characters' }] })
      }
    }
  })

  t.test('of one address twice at once creates one account', async t => {
    for (let round = 0; round < 5; round++) {
      const email = `twice-${round}@example.com`
      const statuses = await Promise.all([1, 2].map(async () => (await register({ email, password: PASSWORD })).status))
      t.strictSame(statuses.sort(), [201, 409])
      t.equal(await count(email), 1)
    }
  })

  t.test('of one address twenty times at once creates one account, and refuses the others alike', async t => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => register({ email: n % 2 ? 'crowd@example.com' : 'CROWD@example.com', password: PASSWORD }, `192.0.2.${n}`)))
    const [first, ...rest] = answers.sort((a, b) => a.status - b.status)
    t.equal(first?.status, 201)
    for (const answer of rest) isProblem(t, answer, 'email_taken')
    t.equal(await count('crowd@example.com'), 1)
    t.strictSame(await service.sql("SELECT count(*)::int AS count FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = 'crowd@example.com'"), [{ count: 1 }])
  })

  t.test('stores the account and its first session together, or neither', async t => {
    const json = { email: 'unlucky@example.com', password: PASSWORD }
    await service.sql("ALTER TABLE sessions ADD CONSTRAINT unlucky CHECK (user_agent IS DISTINCT FROM 'unlucky')")
    isProblem(t, await service.call('POST /auth/register', { json, headers: { 'user-agent': 'unlucky' } }), 'internal_error')
    t.equal(await count(json.email), 0, 'no account without a response')
    t.equal((await service.call('POST /auth/register', { json, headers: { 'user-agent': 'lucky' } })).status, 201, 'and so it can be tried again')
    await service.sql('ALTER TABLE sessions DROP CONSTRAINT unlucky')
  })

  t.test('with a taken address is hashed for as with a free one, and turned away alike when the queue is full', async t => {
    const service = await startService(t, { TRUST_PROXY: '1', HASH_CONCURRENCY: '1', HASH_QUEUE_LIMIT: '8', ARGON2_MEMORY_KIB: '65536', ARGON2_ITERATIONS: '16' })
    await service.sql("INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'taken@example.com')")
    const ask = (path: string, email: string, from: string) => service.call(`POST ${path}`, { json: { email, password: PASSWORD }, headers: { 'x-forwarded-for': from } })
    // One is being hashed, and five wait: unknown clients have two thirds of the places.
    const before = [1, 2, 3, 4, 5, 6].map(n => ask('/auth/login', 'nobody@example.com', `192.0.2.${n}`))
    await until(async () => /^countersign_hash_queue_waiting 5$/m.test((await service.call('GET /metrics')).text))
    const answers = await Promise.all(['taken@example.com', 'free@example.com'].map(email => ask('/auth/register', email, '192.0.2.9')))
    t.strictSame(answers.map(({ status, body, headers }) => [status, body.code, headers['retry-after']]), Array(2).fill([503, 'too_busy', '2']))
    await Promise.all(before)
  })

  t.test('is recorded in the audit trail; an attempt with a taken address is not', async t => {
    const json = { email: 'traced@example.com', password: PASSWORD }
    const { body: { user: { id } } } = await service.call<LoginBody>('POST /auth/register', { json, from: '192.0.2.77', headers: { 'user-agent': 'Tracer' } })
    isProblem(t, await register({ ...json, email: 'Traced@example.com' }, '192.0.2.78'), 'email_taken')
    const rows = await service.sql('SELECT action, outcome, actor_id IS NOT NULL AS acted, session_id IS NOT NULL AS in_session, ip, user_agent FROM audit_events WHERE subject_id = $1::uuid ORDER BY ip, action DESC', id)
    t.strictSame(rows, [
      { action: 'register', outcome: 'success', acted: true, in_session: true, ip: '192.0.2.77', user_agent: 'Tracer' },
      { action: 'login', outcome: 'success', acted: true, in_session: true, ip: '192.0.2.77', user_agent: 'Tracer' }
    ])
  })

  t.test('refuses an invalid address', async t => {
    for (const email of ['', ' ', 'ada', 'ada@', '@example.com', 'ada@example', 'ada@@example.com', 'a b@example.com', 'ada@exa mple.com', 'ada@.com', 'ada@example..com',
      '.ada@example.com', 'ada.@example.com', 'a..da@example.com', 'ada@example.com\nbcc: x@example.com', 'ada\0@example.com', 'ada\ud800@example.com',
      '"ada"@example.com', 'Ada <ada@example.com>', 'ada@[127.0.0.1]', `${'a'.repeat(65)}@example.com`, `ada@${'a'.repeat(250)}.com`, 'ada,bob@example.com']) {
      const answer = await register({ email, password: PASSWORD })
      isProblem(t, answer, 'validation_failed', JSON.stringify(email))
      t.strictSame(fieldsOf(answer), ['email'], JSON.stringify(email))
    }
  })

  t.test('accepts unusual but valid addresses', async t => {
    for (const email of ['o\'brien+tag@sub.example.co.uk', '_-x-_@example.com', 'a@b.cd', `${'a'.repeat(64)}@example.com`, 'ünïcödé@xn--exmple-cua.com', '用户@xn--fsqu00a.xn--55qx5d']) {
      const { status, body } = await service.call<LoginBody>('POST /auth/register', { json: { email, password: PASSWORD } })
      t.equal(status, 201, email)
      t.equal(body.user?.email, email)
    }
    for (const email of ['ünïcödé@exämple.com', '用户@例子.公司']) isProblem(t, await register({ email, password: PASSWORD }), 'email_taken', email)
  })

  t.test('refuses a weak password, saying why, and never repeats it', async t => {
    const weak = {
      'too short': 'a7#kQ2x',
      'too short, of wide characters': '🐎🐎🐎🐎🐎🐎🐎',
      'too long': 'Zx9 '.repeat(33),
      'too many bytes': '🐎x'.repeat(103),
      common: 'password1',
      'common, in capitals': 'PASSWORD1',
      'a row of the keyboard': 'qwertyuiop',
      'the address': 'weak.person@example.com',
      'the address, in part': 'weakperson',
      'the name of the service': 'CounterSign',
      'a lone surrogate': 'correct horse \ud800 battery'
    }
    for (const [why, password] of Object.entries(weak)) {
      const answer = await register({ email: 'weak.person@example.com', password })
      isProblem(t, answer, 'weak_password', why)
      t.strictSame(fieldsOf(answer), ['password'], why)
      t.notOk(answer.text.includes(password.slice(0, 40)), why)
    }
    t.equal(await count('weak.person@example.com'), 0)
  })

  t.test('takes any characters for a password, up to the bound', async t => {
    const strong = ['        x       y', '🐎🐎🐎🐎🔋🔋🔋📎', `${'Zx9 '.repeat(31)}Zx9!`, 'пароль лошадь', 'correct\0horse\0battery', "'; DROP TABLE users; --", '{"$ne":null} maybe']
    for (const [n, password] of strong.entries()) {
      const email = `strong-${n}@example.com`
      t.equal((await register({ email, password })).status, 201, JSON.stringify(password))
      t.equal((await service.call('POST /auth/login', { json: { email, password } })).status, 200, JSON.stringify(password))
      t.equal((await service.call('POST /auth/login', { json: { email, password: `${password.slice(0, -1)}` } })).status, 401, JSON.stringify(password))
    }
  })

  t.test('accepts no role, id and the like', async t => {
    const answer = await register({ email: 'mallory@example.com', password: PASSWORD, role: 'admin', id: '0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e', emailVerified: true, passwordHash: 'x' })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['emailVerified', 'id', 'passwordHash', 'role'])
    t.equal(await count('mallory@example.com'), 0)
  })

  t.test('names every field that is wrong, at once', async t => {
    const answer = await register({ email: 'x', password: 1, name: '', deliver: 'pigeon', extra: [] })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['deliver', 'email', 'extra', 'name', 'password'])
    t.strictSame(fieldsOf(await register({})), ['email', 'password'])
    for (const { pointer, detail } of answer.body.errors ?? []) t.match({ pointer, detail }, { pointer: /^#\/\w+$/, detail: /./ })
  })

  t.test('converts nothing', async t => {
    for (const json of [{ email: ['ada@example.com'], password: PASSWORD }, { email: 'types@example.com', password: 1234567890123 }, { email: 'types@example.com', password: [PASSWORD] },
      { email: 'types@example.com', password: { $ne: '' } }, { email: 'types@example.com', password: PASSWORD, name: 5 }, { email: 'types@example.com', password: PASSWORD, name: null }]) {
      isProblem(t, await register(json), 'validation_failed', JSON.stringify(json))
    }
    t.equal(await count('types@example.com'), 0)
  })

  t.test('stores a name as it is, and refuses one that cannot be stored', async t => {
    for (const [n, name] of ['Zoë', 'O\'Brien; DROP TABLE', '<script>alert(1)</script>', '🐎'.repeat(200), ' spaced '].entries()) {
      const { status, body } = await service.call<LoginBody>('POST /auth/register', { json: { email: `named-${n}@example.com`, password: PASSWORD, name } })
      t.equal(status, 201, name)
      t.equal(body.user?.name, name)
    }
    for (const name of ['', 'x'.repeat(201), 'a\0b']) isProblem(t, await register({ email: 'misnamed@example.com', password: PASSWORD, name }), 'validation_failed', JSON.stringify(name.slice(0, 9)))
  })
})
