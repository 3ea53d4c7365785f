import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createLedgerReader } from '../../src/revocation/ledger-reader.ts'
import { createRestoreRevocations } from '../../src/revocation/restore-revocations.ts'
import { openTestDatabase } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { sessionIdOf } from '../sessions/session-rows.ts'
import { follow } from './following.ts'

t.test('a failover that lost what was revoked brings none of it back while an instance lives', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const [out, demoted, deleted, staying] = [await service.person(), await service.person(), await service.person(), await service.person()]
  const [row] = await service.sql<Record<string, unknown>>('SELECT id, email, password_hash FROM users WHERE id = $1::uuid', deleted.user.id)
  t.equal((await service.call('POST /auth/logout', { token: out.accessToken })).status, 204)
  t.equal((await service.call(`DELETE /admin/users/${demoted.user.id}/sessions`, present(admin))).status, 204)
  t.equal((await service.call(`DELETE /admin/users/${deleted.user.id}`, present(admin))).status, 204)

  // The ledger tells times to the second.
  await until(async () => (await service.sql<{ over: boolean }>('SELECT now() > max(expires_at) - interval \'3659 seconds\' AS over FROM revocations'))[0]?.over === true)
  const since = await service.logIn(demoted)

  // What a standby has that was promoted before these were replicated: its ledger has another identity.
  await service.sql('DELETE FROM revocations')
  await service.sql('UPDATE sessions SET ended_at = NULL, ended_reason = NULL')
  await service.sql('UPDATE users SET version = 1')
  await service.sql('INSERT INTO users (id, email, password_hash, updated_at) VALUES ($1::uuid, $2, $3, now())', row?.id, row?.email, row?.password_hash)
  await service.sql('DELETE FROM ledger_identity')

  await until(async () => (await service.sql('SELECT FROM revocations')).length === 3)
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: out.refreshToken } })).status, 401, 'who logged out cannot refresh')
  t.match(await service.sql('SELECT ended_reason FROM sessions WHERE id = $1::uuid', sessionIdOf(out)), [{ ended_reason: 'restored' }])
  t.match(await service.sql('SELECT version, disabled_at FROM users WHERE id = $1::uuid', demoted.user.id), [{ version: 2, disabled_at: null }], 'the version is what it was')
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: demoted.refreshToken } })).status, 401, 'a session from before cannot be refreshed')
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: since.refreshToken } })).status, 200, 'one from after it goes on')
  t.ok(service.log.some(({ users, msg }) => /check role and status/.test(msg) && JSON.stringify(users) === JSON.stringify([demoted.user.id])), 'and the account is named in the log')
  const again = await service.logIn(demoted)
  t.equal((await service.call('GET /auth/verify', { token: again.accessToken })).status, 200, 'so that new tokens are good')
  t.match(await service.sql('SELECT version, disabled_at FROM users WHERE id = $1::uuid', deleted.user.id), [{ version: 1, disabled_at: Date }], 'a lost deletion disables')
  t.ok(service.log.some(({ users, msg }) => /users enable/.test(msg) && JSON.stringify(users) === JSON.stringify([deleted.user.id])), 'and is named in the log')
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: staying.refreshToken } })).status, 200, 'everybody else goes on')

  // Once more, and nothing is written twice.
  await service.sql('DELETE FROM ledger_identity')
  await until(async () => (await service.sql('SELECT FROM ledger_identity')).length === 1)
  const reads = async () => Number(/^countersign_revocations_reads_total (\d+)/m.exec((await service.call('GET /metrics')).text)?.[1])
  const before = await reads()
  await until(async () => await reads() >= before + 2)
  t.equal((await service.sql('SELECT FROM revocations')).length, 3)
})

t.test('what was only notified is not written back', async t => {
  const service = await startService(t)
  const [forged, out] = [await service.person(), await service.person()]
  const expiresAt = Math.floor(Date.now() / 1000) + 3_000
  for (const entry of [
    { kind: 'session', subject: sessionIdOf(forged), minVersion: null }, { kind: 'user', subject: forged.user.id, minVersion: 7 },
    // Also not beside what is true of the same account or client.
    ...[1e20, 1.5, -1, 2_147_483_648].map(minVersion => ({ kind: 'user', subject: out.user.id, minVersion }))
  ]) await service.sql("SELECT pg_notify('countersign_revocations', $1)::text", JSON.stringify({ ...entry, expiresAt }))
  await until(async () => service.log.filter(({ msg }) => msg === 'invalid revocation payload').length === 4)
  t.equal((await service.call('GET /auth/verify', { token: out.accessToken })).status, 200, 'a version that no account can have is not believed')
  t.equal((await service.call('POST /auth/logout', { token: out.accessToken })).status, 204)

  await service.sql('DELETE FROM revocations')
  await service.sql('UPDATE sessions SET ended_at = NULL, ended_reason = NULL')
  await service.sql('DELETE FROM ledger_identity')
  await until(async () => (await service.sql('SELECT FROM revocations')).length > 0)

  t.strictSame(await service.sql('SELECT kind::text AS kind, subject FROM revocations'), [{ kind: 'session', subject: sessionIdOf(out) }])
  t.match(await service.sql('SELECT version, disabled_at FROM users WHERE id = $1::uuid', forged.user.id), [{ version: 1, disabled_at: null }])
  t.match(await service.sql('SELECT ended_at FROM sessions WHERE id = $1::uuid', sessionIdOf(forged)), [{ ended_at: null }])
})

t.test('an entry that the database refuses keeps no other from being written back', async t => {
  const database = await openTestDatabase(t)
  const warnings: object[] = []
  const log = { warn: (details: object) => { warnings.push(details) } }
  const { ledgerSync } = await follow(t, { database, restore: createRestoreRevocations({ database, ledger: createLedgerReader(database), log }) })
  const [one, other] = [randomUUID(), randomUUID()]
  const expiresAt = Math.floor(ledgerSync.now()) + 60
  ledgerSync.apply([{ kind: 'session', id: one, expiresAt }, { kind: 'client', id: 'no text \0', expiresAt }, { kind: 'session', id: other, expiresAt }])
  await database.query({ name: 'test.replace', text: 'DELETE FROM ledger_identity' }, [])
  const subjects = async () => (await database.query<{ subject: string }>({ name: 'test.subjects', text: 'SELECT subject FROM revocations ORDER BY subject' }, [])).map(({ subject }) => subject)
  await until(async () => (await subjects()).length === 2)
  t.strictSame(await subjects(), [one, other].sort())
  await until(() => warnings.some(details => 'written' in details))
  t.match(warnings, [{ err: { code: '22P05' }, kind: 'client' }, { written: 2 }])
})
