import { createHash, randomUUID } from 'node:crypto'
import pg from 'pg'
import { createAccountStatusStore } from '../../../src/accounts/account-status-store.ts'
import { createDeletionStore } from '../../../src/accounts/deletion-store.ts'
import { createPasswordStore } from '../../../src/accounts/password-store.ts'
import { createAdminStore } from '../../../src/admin/store.ts'
import type { Database } from '../../../src/database/database.ts'
import { createChangeStore } from '../../../src/email-change/change-store.ts'
import { createRevertStore } from '../../../src/email-change/revert-store.ts'
import { createClientRegistry } from '../../../src/oauth/client-registry-store.ts'
import type { MailedPurpose, MailedSecret } from '../../../src/one-time-tokens/mailed-secret-store.ts'
import { NO_MESSAGE } from '../../../src/outbox/enqueue.ts'
import { createIdentityListStore } from '../../../src/providers/identities/identity-list-store.ts'
import { createReclaimUnverifiedStore } from '../../../src/providers/identities/reclaim-unverified-store.ts'
import { createRecoveryStore } from '../../../src/recovery/recovery-store.ts'
import { createOpenSessionStore } from '../../../src/sessions/open-session-store.ts'
import type { Sent } from './explain.ts'
import { idOf } from './million-rows.ts'
import { watchPrisma } from './prisma-calls.ts'

const client = { ip: '192.0.2.1', userAgent: 'Mozilla/5.0' }
const actor = { actorId: idOf('user', 1), ...client }
const message = () => NO_MESSAGE
const sha256 = (text: string) => createHash('sha256').update(text).digest()

/**
 * Has Prisma's client called by all that the service calls it for, with accounts of the first 200.
 *
 * @returns what it sent, and from which lines it was called
 */
export async function prismaStatements (database: Database): Promise<{ sent: Sent[], called: Set<string> }> {
  const called = new Set<string>()
  const sent = await watchQueries(() => callAll({ ...database, prisma: watchPrisma(database.prisma, called) }))
  return { sent, called }
}

async function callAll (database: Database): Promise<void> {
  const sql = (text: string, ...values: unknown[]) => database.query({ name: `test ${text.slice(0, 40)}`, text }, values)

  /** A mailed secret of an account, which is good. */
  async function secretOf<Data> (purpose: MailedPurpose, n: number, data: Data): Promise<MailedSecret<Data>> {
    const hash = sha256(randomUUID())
    await sql("INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at) VALUES ($1, $2, $3::uuid, $4::jsonb, now() + interval '1 hour')", hash, purpose, idOf('user', n), JSON.stringify(data))
    return { hash, purpose, userId: idOf('user', n), data, isLink: true }
  }

  const admin = createAdminStore(database)
  const invitation = () => ({ token: randomUUID(), life: 3600, mail: NO_MESSAGE })
  const created = await admin.createUser({ email: 'invited@example.com', name: null, role: 'user' }, actor, invitation())
  await admin.invite(created.id, actor, invitation)
  await admin.findUser(created.id)
  await admin.listUsers({ limit: 50 })
  await admin.listUsers({ limit: 50, after: idOf('user', 50) })

  const status = createAccountStatusStore(database)
  await status.setRoleAndStatus(idOf('user', 1), { role: 'user' }, actor).catch(() => {})
  await status.setRoleAndStatus(idOf('user', 21), { role: 'admin' }, actor)
  await status.setRoleAndStatus(idOf('user', 21), { disabled: true }, actor)
  await status.unlock(idOf('user', 22), actor)
  await status.verifyEmail(idOf('user', 30), actor)
  await status.endAllSessions(idOf('user', 23), actor)

  const deletion = createDeletionStore(database)
  await deletion.remove(idOf('user', 24), actor, message)
  const restoreToken = randomUUID()
  await deletion.schedule(idOf('user', 25), { grace: 3600, restoreToken, announce: message }, actor)
  await deletion.lookAtToken(restoreToken)
  await deletion.restoreByToken(restoreToken, client, message)
  await deletion.schedule(idOf('user', 25), { grace: 0, restoreToken: undefined, announce: message }, actor)
  await deletion.restore(idOf('user', 25), actor, message)
  await deletion.schedule(idOf('user', 25), { grace: 0, restoreToken: undefined, announce: message }, actor)
  await deletion.removeDue(idOf('user', 25), message)

  const clients = createClientRegistry(database)
  for (const id of ['billing', 'reports']) await clients.create({ id, name: id, audience: id, scopes: [], secretHash: sha256(id) })
  await clients.list()
  await clients.find('billing')
  await clients.replaceSecret('billing', { secretHash: sha256('new'), overlap: 60 })
  await clients.promoteKey('billing')
  await clients.remove('billing')

  // With more sessions than the ledger keeps rows of.
  await sql(`INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at)
    SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key1', now() + interval '1 hour', now() + interval '1 hour' FROM generate_series(1, 40)`, idOf('user', 26))
  await sql("UPDATE sessions SET ended_at = NULL, idle_ends_at = now() + interval '1 hour' WHERE user_id IN ($1::uuid, $2::uuid)", idOf('user', 26), idOf('user', 27))
  const nonce = Buffer.alloc(8)
  nonce.writeBigInt64BE(26n)
  const credential = { channel: 'body', text: '', sessionId: idOf('session', 26), nonce, generation: 0 } as const
  const password = `$argon2id$${'x'.repeat(80)}`
  await createPasswordStore(database).replace({ userId: idOf('user', 26), sessionId: idOf('session', 26), from: password, to: password, credential, newCredential: credential, keyId: 'key1', notice: NO_MESSAGE }, client)

  const identities = createIdentityListStore(database)
  await identities.list(idOf('user', 28))
  await identities.unlink({ id: idOf('identity', 28), userId: idOf('user', 28) }, ['acme'], client)
  const presented = { provider: 'acme', issuer: 'https://acme.example', subject: randomUUID(), email: 'user40@example.com', emailVerified: true, isProven: true, tokens: null, keepsTokens: false }
  await createReclaimUnverifiedStore(database).reclaim(idOf('user', 40), presented, null, client)

  await createOpenSessionStore(database).replacePasswordHash({ userId: idOf('user', 29), from: password, to: password })
  await createRecoveryStore(database).setPassword({ secret: await secretOf('password_reset', 50, { email: 'user50@example.com' }), passwordHash: password, notice: message }, client)

  const change = { email: 'moved@example.com', from: 'user27@example.com', askedAt: new Date().toISOString(), passwordTag: null, sessionId: idOf('session', 27) }
  await createChangeStore(database).change({ secret: await secretOf('email_change', 27, change), passwordHash: undefined, revertToken: randomUUID(), messages: () => [] }, client)
  await createRevertStore(database).revert({ secret: await secretOf('email_revert', 27, { email: 'former@example.com', since: change.askedAt, passwordTag: null }), messages: () => [] }, client)

  // So that what was inserted can be so again, and an address be given.
  await sql("UPDATE users SET email = 'user27@example.com' WHERE id = $1::uuid", idOf('user', 27))
  for (const [table, own] of [['users', '0190000a'], ['audit_events', '0190000c'], ['clients', '']]) await sql(`DELETE FROM ${table} WHERE id::text NOT LIKE '${own}%' OR '${own}' = ''`)
}

/** @returns every query that goes to a database meanwhile and has a plan, each text once */
async function watchQueries (work: () => Promise<void>): Promise<Sent[]> {
  const sent = new Map<string, Sent>()
  const { prototype } = pg.Client
  const { query } = prototype
  prototype.query = function (this: pg.Client, config: unknown, ...rest: unknown[]) {
    const { name, text, values = [] } = typeof config === 'string' ? { text: config } as pg.QueryConfig : config as pg.QueryConfig
    if (!name?.startsWith('test ') && /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text)) sent.set(`${text}${values.length}`, { name: text.replace(/\s+/g, ' ').slice(0, 300), text, values })
    return Reflect.apply(query, this, [config, ...rest]) as unknown
  } as typeof query
  try {
    await work()
  } finally {
    prototype.query = query
  }
  return [...sent.values()]
}
