import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { startService, type Answer, type Call, type LoginBody, type Person } from '../support/service.ts'
import { refreshTokenOf, rowOf, sessionIdOf } from './session-rows.ts'

t.test('refreshing', async t => {
  const service = await startService(t)
  const refresh = (refreshToken: string, call: Call = {}) => service.call<LoginBody & { code: string }>('POST /auth/refresh', { json: { refreshToken }, ...call })
  const verify = async (token: string) => (await service.call('GET /auth/verify', { token })).status
  const age = (person: LoginBody, interval: string) => service.sql(`UPDATE sessions SET rotated_at = rotated_at - interval '${interval}' WHERE id = $1::uuid`, sessionIdOf(person))
  const auditOf = async (person: Person, outcome: string) => {
    await service.audited()
    return service.sql<{ ip: string, sessionId: string }>("SELECT ip, session_id AS \"sessionId\" FROM audit_events WHERE subject_id = $1::uuid AND action = 'refresh' AND outcome = $2", person.user.id, outcome)
  }
  const ledgerOf = (person: LoginBody) => service.sql("SELECT kind::text AS kind FROM revocations WHERE subject = $1 AND expires_at > now() + interval '1 hour'", sessionIdOf(person))

  async function isTheft (t: Test, answer: Answer<{ code: string }>, person: Person): Promise<void> {
    t.match(answer, { status: 401, body: { code: 'refresh_token_reused' }, headers: { 'content-type': /^application\/problem\+json/, 'www-authenticate': 'Bearer' } })
    t.match(await rowOf(service, person), { endedReason: 'reused' })
    t.strictSame(await ledgerOf(person), [{ kind: 'session' }])
    t.match(await auditOf(person, 'reused'), [{ sessionId: sessionIdOf(person) }])
    t.equal(await verify(person.accessToken), 401, 'the first access token is dead')
  }

  t.test('gives a new pair for the same session, one generation on', async t => {
    const person = await service.person()
    const answer = await refresh(person.refreshToken)
    t.equal(answer.status, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.strictSame(answer.cookies, {})
    t.strictSame(answer.body, { user: person.user, accessToken: answer.body.accessToken, refreshToken: answer.body.refreshToken, tokenType: 'Bearer', expiresIn: 600 })
    t.strictSame(refreshTokenOf(answer.body), { ...refreshTokenOf(person), generation: 1 })
    t.equal(sessionIdOf(answer.body), sessionIdOf(person))
    t.not(answer.body.accessToken, person.accessToken)
    t.equal(await verify(answer.body.accessToken), 200)
    t.equal(await verify(person.accessToken), 200, 'a rotation revokes nothing')
    t.match(await rowOf(service, person), { generation: 1, endedReason: null })
  })

  t.test('slides the idle end, and never past the absolute end', async t => {
    const person = await service.person()
    await service.sql("UPDATE sessions SET idle_ends_at = now() + interval '1 minute', ends_at = now() + interval '1 hour', last_seen_at = now() - interval '1 day' WHERE id = $1::uuid", sessionIdOf(person))
    const { body } = await refresh(person.refreshToken)
    const [row] = await service.sql('SELECT idle_ends_at = ends_at AS capped, last_seen_at > now() - interval \'1 minute\' AS seen FROM sessions WHERE id = $1::uuid', sessionIdOf(person))
    t.strictSame(row, { capped: true, seen: true })
    await service.sql("UPDATE sessions SET ends_at = now() + interval '100 seconds' WHERE id = $1::uuid", sessionIdOf(person))
    const last = await refresh(body.refreshToken)
    t.ok(last.body.expiresIn <= 100 && last.body.expiresIn > 90, 'an access token does not outlive its session')
  })

  t.test('moves the idle end only when a tenth of the idle life has passed, or it is too far off', async t => {
    for (const [left, moved] of [[31, false], [29, true], [34, true]] as const) {
      const person = await service.person()
      await service.sql(`UPDATE sessions SET idle_ends_at = date_trunc('hour', now()) + interval '${left} days' WHERE id = $1::uuid`, sessionIdOf(person))
      t.equal((await refresh(person.refreshToken)).status, 200)
      const [row] = await service.sql("SELECT idle_ends_at <> date_trunc('hour', now()) + $2::int * interval '1 day' AS moved, idle_ends_at <= now() + interval '33 days' AS bounded FROM sessions WHERE id = $1::uuid", sessionIdOf(person), left)
      t.strictSame(row, { moved, bounded: true }, `${left} days left`)
    }
  })

  t.test('is possible until the idle life has passed since the last use, also where that use moved no idle end', async t => {
    for (const [daysAgo, status] of [[32, 200], [34, 401]] as const) {
      const person = await service.person()
      await service.sql('UPDATE sessions SET created_at = created_at - $2::interval, last_seen_at = last_seen_at - $2::interval, idle_ends_at = idle_ends_at - $2::interval WHERE id = $1::uuid', sessionIdOf(person), `${daysAgo} days`)
      t.equal((await refresh(person.refreshToken)).status, status, `opened ${daysAgo} days ago, and perhaps used three days later`)
    }
  })

  t.test('gives the same successor again within 30 s', async t => {
    const person = await service.person()
    const first = await refresh(person.refreshToken)
    const second = await refresh(person.refreshToken)
    t.equal(second.status, 200)
    t.equal(second.body.refreshToken, first.body.refreshToken)
    t.match(await rowOf(service, person), { generation: 1 })
    await age(person, '29 seconds')
    t.equal((await refresh(person.refreshToken)).body.refreshToken, first.body.refreshToken)
  })

  t.test('treats reuse after 30 s as theft: the session ends, and the audit trail says so', async t => {
    const person = await service.person()
    const { body } = await refresh(person.refreshToken)
    await age(person, '31 seconds')
    await isTheft(t, await refresh(person.refreshToken), person)
    t.equal(await verify(body.accessToken), 401, 'so is the present one')
    t.match(await refresh(body.refreshToken), { status: 401, body: { code: 'invalid_refresh_token' } })
  })

  t.test('treats a token two generations back as theft at once', async t => {
    const person = await service.person()
    const { body } = await refresh(person.refreshToken)
    await refresh(body.refreshToken)
    await isTheft(t, await refresh(person.refreshToken), person)
  })

  t.test('gives the same successor at any age under the Idempotency-Key of the rotation', async t => {
    const person = await service.person()
    const headers = { 'idempotency-key': randomBytes(16).toString('base64url') }
    const first = await refresh(person.refreshToken, { headers })
    await age(person, '20 days')
    const again = await refresh(person.refreshToken, { headers })
    t.match(again, { status: 200, body: { refreshToken: first.body.refreshToken } })
    t.equal(await verify(again.body.accessToken), 200)
    const [row] = await service.sql<{ kept: boolean }>('SELECT attempt_hash = sha256($2::bytea) AS kept FROM sessions WHERE id = $1::uuid', sessionIdOf(person), Buffer.from(headers['idempotency-key']))
    t.ok(row?.kept, 'of the key only its hash is kept')
  })

  t.test('any other Idempotency-Key excuses nothing', async t => {
    for (const key of [randomBytes(16).toString('base64url'), undefined]) {
      const person = await service.person()
      await refresh(person.refreshToken, { headers: { 'idempotency-key': randomBytes(16).toString('base64url') } })
      await age(person, '31 seconds')
      await isTheft(t, await refresh(person.refreshToken, key === undefined ? {} : { headers: { 'idempotency-key': key } }), person)
    }
  })

  t.test('nor does one that excused the rotation before', async t => {
    const person = await service.person()
    const headers = { 'idempotency-key': randomBytes(16).toString('base64url') }
    const { body } = await refresh(person.refreshToken, { headers })
    await refresh(body.refreshToken)
    await isTheft(t, await refresh(person.refreshToken, { headers }), person)
  })

  t.test('refuses an Idempotency-Key of less than 128 bits', async t => {
    const person = await service.person()
    t.match(await refresh(person.refreshToken, { headers: { 'idempotency-key': 'x'.repeat(21) } }), { status: 422, body: { code: 'validation_failed' } })
    t.match(await rowOf(service, person), { generation: 0 })
  })

  t.test('records a repeat from another address or user agent than that of the rotation', async t => {
    const rotatedFrom = { from: '203.0.113.7', headers: { 'user-agent': 'rotator' } }
    for (const [repeat, noted] of [
      [rotatedFrom, 0],
      [{ ...rotatedFrom, from: '203.0.113.8' }, 1],
      [{ ...rotatedFrom, headers: { 'user-agent': 'another' } }, 1],
      [{}, 1]
    ] as const) {
      const person = await service.person()
      await refresh(person.refreshToken, rotatedFrom)
      t.equal((await refresh(person.refreshToken, repeat)).status, 200)
      t.equal((await auditOf(person, 'repeated')).length, noted, JSON.stringify(repeat))
    }
  })

  t.test('refuses a session that is over', async t => {
    for (const over of ["idle_ends_at = now() - interval '1 second'", "ends_at = now() - interval '1 second'", 'ended_at = now()']) {
      const person = await service.person()
      await service.sql(`UPDATE sessions SET ${over} WHERE id = $1::uuid`, sessionIdOf(person))
      t.match(await refresh(person.refreshToken), { status: 401, body: { code: 'invalid_refresh_token' } }, over)
      t.match(await rowOf(service, person), { generation: 0 }, over)
    }
  })

  t.test('refuses a disabled account, and takes it back once it is enabled', async t => {
    const person = await service.person()
    await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', person.user.id)
    t.match(await refresh(person.refreshToken), { status: 401, body: { code: 'invalid_refresh_token' } })
    await service.sql('UPDATE users SET disabled_at = NULL WHERE id = $1::uuid', person.user.id)
    t.equal((await refresh(person.refreshToken)).status, 200)
  })

  t.test('tells the new role, and the present profile, of one row version', async t => {
    const person = await service.person()
    await service.sql("UPDATE users SET role = 'admin', version = version + 1, name = 'Countess' WHERE id = $1::uuid", person.user.id)
    const { body } = await refresh(person.refreshToken)
    t.match(body.user, { role: 'admin', name: 'Countess' })
    t.match(JSON.parse(Buffer.from(body.accessToken.split('.')[1] ?? '', 'base64url').toString()), { role: 'admin', ver: 2 })
  })
})

t.test('a genuine token whose rotations a failover lost', async t => {
  const service = await startService(t)
  const refresh = (refreshToken: string) => service.call<LoginBody & { code?: string }>('POST /auth/refresh', { json: { refreshToken } })
  async function rotated (times: number): Promise<{ tokens: string[], lose (rotations: number): Promise<void> }> {
    const person = await service.person()
    const tokens = [person.refreshToken]
    for (let time = 0; time < times; time++) tokens.push((await refresh(tokens.at(-1) ?? '')).body.refreshToken)
    return { tokens, lose: async rotations => { await service.sql('UPDATE sessions SET generation = generation - $2::int WHERE id = $1::uuid', sessionIdOf(person), rotations) } }
  }

  for (const lost of [1, 2]) {
    const { tokens, lose } = await rotated(3)
    await lose(lost)
    const [, , before = '', latest = ''] = tokens
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => refresh(latest)))
    t.equal(first?.status, 200, `${lost} behind: is honoured`)
    for (const other of others) t.equal(other.body.refreshToken, first?.body.refreshToken, 'and has one successor')
    t.ok((await service.sql("SELECT FROM audit_events WHERE action = 'refresh' AND outcome = 'ahead'")).length >= lost, 'it is noted')
    t.match(await refresh(before), { status: 401, body: { code: 'refresh_token_reused' } }, 'what was before it is stale')
  }

  const { tokens, lose } = await rotated(4)
  await lose(3)
  t.match(await refresh(tokens.at(-1) ?? ''), { status: 401, body: { code: 'invalid_refresh_token' } }, 'three behind: is one of another past')
  t.equal((await refresh(tokens[1] ?? '')).status, 200, 'and ends nothing')
})

t.test('a refresh tells of the account as a login does, whatever is in its name', async t => {
  const service = await startService(t)
  const person = await service.person()
  for (const name of ['Ada "the \\ Countess" O’Hara', '\u2028 \u{1f600} <b>&', null]) {
    await service.sql('UPDATE users SET name = $2 WHERE id = $1::uuid', person.user.id, name)
    const { user, refreshToken } = await service.logIn(person)
    t.equal(user.name, name)
    t.strictSame((await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })).body.user, user)
  }
})
