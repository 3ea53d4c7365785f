import { createHash, randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { onPostgres, onServer } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import { present } from '../support/presence.ts'
import { startOpenIdProvider } from '../support/providers/openid-provider.ts'
import { PASSWORD, type Answer, type LoginBody, type Person } from '../support/service.ts'

/** How often each race is run. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 20)
const TWELVE = Array.from({ length: 12 }, (_, n) => n)
const NEW_PASSWORD = 'a staple of nine words'

// Two instances, of which the second makes dearer hashes: each renews those of the other.
t.test(`what honest people do at once, ${ROUNDS} times each on two instances`, { ...onPostgres, timeout: 3_600_000 }, async t => {
  const acme = await startOpenIdProvider(t, { clientId: 'acme-web', clientSecret: 'a secret that the provider gave', redirectUri: 'https://auth.example.com/auth/providers/acme/callback' })
  const provider = {
    NODE_ENV: 'test',
    OIDC_ACME_ISSUER: acme.issuer,
    OIDC_ACME_CLIENT_ID: 'acme-web',
    OIDC_ACME_CLIENT_SECRET: 'a secret that the provider gave',
    OIDC_ACME_NATIVE_CLIENT_IDS: 'acme-app',
    DATABASE_ACQUIRE_TIMEOUT: '20s',
    DATABASE_STATEMENT_TIMEOUT: '20s'
  }
  const { instances, databaseUrl } = await startInstances(t, provider, { ...provider, ARGON2_MEMORY_KIB: '8192' })
  const [first, second] = instances
  const at = (n: number): Instance => n % 2 === 0 ? first : second
  const sql = <Row extends object>(text: string, ...values: unknown[]): Promise<Row[]> => onServer(databaseUrl, async client => (await client.query<Row>(text, values)).rows)

  function signIn (n: number, subject: string): Promise<Answer<LoginBody>> {
    const nonce = randomBytes(16).toString('base64url')
    const claims = { aud: 'acme-app', sub: subject, email: `${subject}@acme.example`, email_verified: true, jti: randomUUID(), nonce: createHash('sha256').update(nonce).digest('base64url') }
    return at(n).call<LoginBody>('POST /auth/providers/acme/token', { json: { idToken: acme.idToken({ claims }), nonce } })
  }

  /** Comes again while the hash queue of a busy machine turns it away. */
  async function patiently<Body> (send: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const answer = await send()
    return (answer.body as { code?: string }).code === 'too_busy' ? await patiently(send) : answer
  }

  /** Counts the answers of a race, over all rounds. */
  function tally () {
    const counts: Record<string, number> = {}
    return {
      counts,
      add (...answers: Array<Pick<Answer<unknown>, 'status' | 'body'>>) {
        for (const { status, body } of answers) {
          const name = status < 400 ? String(status) : `${status} ${(body as { code?: string } | undefined)?.code}`
          counts[name] = (counts[name] ?? 0) + 1
        }
      }
    }
  }

  t.test('twelve first sign-ins of one person at a provider that is not trusted for e-mail: all are logged in to one account', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const subject = `first-${round}`
      const answers = await Promise.all(TWELVE.map(n => signIn(n, subject)))
      add(...answers)
      if (new Set(answers.map(({ body }) => body.user?.id)).size > 1) t.fail(`several accounts in round ${round}`)
    }
    t.strictSame(counts, { 200: 12 * ROUNDS })
  })

  t.test('sign-ins beside the deletion of the account: each is logged in, to the old account or to a new one', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const subject = `deleted-${round}`
      const { body } = await signIn(0, subject)
      const [deletion, ...answers] = await Promise.all([second.call('POST /auth/me/delete', present(body)), ...TWELVE.slice(0, 6).map(n => signIn(n, subject))])
      t.equal(deletion.status, 204)
      add(...answers)
    }
    t.strictSame(counts, { 200: 6 * ROUNDS })
  })

  t.test('logins while instances of different costs renew the hash: all are let in', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const { email } = await at(round).person()
      add(...await Promise.all(TWELVE.map(n => patiently(() => at(n).call('POST /auth/login', { json: { email, password: PASSWORD } })))))
    }
    t.strictSame(counts, { 200: 12 * ROUNDS })
  })

  t.test('a change of the password beside logins that renew its hash, and sent twice under one key: is carried out once', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const person = await at(round).person()
      const headers = { 'idempotency-key': randomBytes(16).toString('base64url') }
      const change = (n: number) => patiently(() => at(n).call<LoginBody>('POST /auth/password', { ...present(person, { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }), headers }))
      const logins = TWELVE.slice(0, 4).map(n => patiently(() => at(n).call('POST /auth/login', { json: { email: person.email, password: PASSWORD } })))
      const changes = await Promise.all([change(0), change(1)])
      add(...changes)
      // A login is let in, or came after the change.
      for (const { status } of await Promise.all(logins)) if (status !== 200 && status !== 401) t.fail(`a login was answered ${status}`)
      if (new Set(changes.map(({ body }) => body.refreshToken)).size > 1) t.fail(`two successors in round ${round}`)
      const { status } = await patiently(() => at(round).call('POST /auth/login', { json: { email: person.email, password: NEW_PASSWORD } }))
      if (status !== 200) t.fail(`the new password was answered ${status}`)
    }
    t.strictSame(counts, { 200: 2 * ROUNDS })
  })

  t.test('one registration twice, and a sign-in with the same address: one account, and no failure', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const json = { email: `taken-${round}@acme.example`, password: PASSWORD }
      const answers = await Promise.all([...[0, 1].map(n => patiently(() => at(n).call<LoginBody>('POST /auth/register', { json }))), signIn(round, `taken-${round}`)])
      add(...answers)
      t.equal(answers.filter(({ status }) => status < 300).length, 1)
    }
    t.strictSame(Object.keys(counts).filter(name => !['200', '201', '409 email_taken', '409 account_exists'].includes(name)), [])
  })

  t.test('refreshes of one token beside each other: one successor', async t => {
    const { counts, add } = tally()
    for (let round = 0; round < ROUNDS; round++) {
      const { refreshToken } = await at(round).person()
      const answers = await Promise.all(TWELVE.map(n => at(n).call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })))
      add(...answers)
      if (new Set(answers.map(({ body }) => body.refreshToken)).size > 1) t.fail(`several successors in round ${round}`)
    }
    t.strictSame(counts, { 200: 12 * ROUNDS })
  })

  t.test('everything that changes one account, at once: nothing fails, and what has ended stays ended', async t => {
    const { counts, add } = tally()
    const admin = await first.person()
    await sql("UPDATE users SET role = 'admin' WHERE id = $1", admin.user.id)
    for (let round = 0; round < ROUNDS; round++) {
      const person = await at(round).person()
      const other: Person = { ...person, ...await at(round + 1).logIn(person) }
      const asAdmin = await at(round).logIn(admin)
      const path = `/admin/users/${person.user.id}`
      const byAdmin = [['DELETE', path, {}], ['PATCH', path, { disabled: true }], ['PATCH', path, { role: 'admin' }], ['DELETE', `${path}/sessions`, {}]] as const
      const [method, target, json] = byAdmin[round % byAdmin.length] ?? byAdmin[0]
      const answers = await Promise.all([
        at(0).call(`${method} ${target}`, present(asAdmin, json)),
        at(1).call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: NEW_PASSWORD })),
        at(0).call('POST /auth/refresh', { json: { refreshToken: other.refreshToken } }),
        at(1).call('POST /auth/login', { json: { email: person.email, password: PASSWORD } }),
        at(0).call('POST /auth/logout', { json: { refreshToken: other.refreshToken } }),
        at(1).call('DELETE /auth/sessions', { token: other.accessToken }),
        at(0).call('PATCH /auth/me', { token: person.accessToken, json: { name: 'Grace' } }),
        at(1).call('POST /auth/me/delete', present(other))
      ])
      add(...answers)
      const gone = round % byAdmin.length === 1 ? 'u.disabled_at IS NOT NULL' : 'u.id IS NULL'
      t.strictSame(await sql(`SELECT 1 FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.ended_at IS NULL AND ${gone}`, person.user.id), [])
      await sql('DELETE FROM users WHERE id = $1', person.user.id)
    }
    t.comment(JSON.stringify(counts))
    t.strictSame(Object.keys(counts).filter(name => name.startsWith('5') && name !== '503 too_busy'), [])
  })
})
