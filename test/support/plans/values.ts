import { createHash, randomUUID } from 'node:crypto'
import { idOf } from './million-rows.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest()

/**
 * Values for the parameters of a statement, of a row that is there: what has another name for it is added here, or to `OF_STATEMENT`
 * where the same name stands for something else.
 *
 * @param rows how many there are
 */
export function valuesOf (statement: string, rows: number): Readonly<Record<string, unknown>> {
  // A live one, with the secret of a cookie.
  const n = Math.floor(rows / 400) * 20 + 4
  return { ...common(n), ...OF_STATEMENT[statement]?.(n) }
}

function common (n: number) {
  const nonce = Buffer.alloc(8)
  nonce.writeBigInt64BE(BigInt(n))
  return {
    accessToken: 'key1.new',
    action: 'login',
    actorId: idOf('user', n),
    after: idOf('user', 0),
    channel: n % 4 === 0 ? 'session' : 'body',
    claim: randomUUID(),
    clientId: `client${Math.floor(n / 1000) * 1000}`,
    before: idOf('event', n),
    codeMac: null,
    data: '{"email":"ada@example.com"}',
    decays: false,
    delay: 60,
    deleteRefreshToken: false,
    detail: null,
    devices: [randomUUID()],
    email: `user${n}@example.com`,
    emailVerified: true,
    eventId: randomUUID(),
    expected: '{}',
    expiresAt: new Date(Date.now() + 3_600_000),
    expiresIn: 3600,
    failure: null,
    former: 'somebody@xn--exmple-cua.example',
    from: `user${n}@example.com`,
    generation: 0,
    grace: 86_400,
    guardPart: 's',
    guardSubject: `u:${idOf('user', n)}`,
    hash: sha256(`token${n}`),
    hashes: [`\\x${sha256(`secret${n}`).toString('hex')}`, `\\x${sha256('secret of nobody').toString('hex')}`],
    hitSeconds0: 60,
    hitSeconds1: 3600,
    holdFor: 3600,
    id: idOf('session', n),
    idempotencyKeyHash: null,
    identityId: idOf('identity', n),
    ids: [idOf('session', n)],
    idleTtl: 604_800,
    ip: '192.0.2.7',
    isProven: true,
    isVouchedFor: false,
    issuer: 'https://acme.example',
    keepsTokens: true,
    kept: 99,
    keptSeconds: 3600,
    keyId: 'key1',
    keys: [`login:${n}`, 'login:new'],
    kind: 'session',
    kinds: ['mail'],
    lease: new Date(),
    life: 3600,
    limit: 1000,
    locale: 'en',
    loginEventId: randomUUID(),
    macs: ['00'],
    mayBeLost: true,
    minVersion: null,
    most: 100,
    mostHits0: 60,
    mostHits1: 600,
    mostOfKnown: 10,
    mostOfStrangers: 10,
    name: 'Ada',
    network: `network${n}`,
    networkTag: 'network of nobody',
    newAccessToken: 'key2.new',
    newRefreshToken: 'key2.new',
    nonce,
    ...outbox('notice'),
    oldAccessToken: 'key1.old',
    oldRefreshToken: 'key1.old',
    ...outbox('outbox'),
    outcome: 'success',
    owners: [idOf('user', n)],
    part: 's',
    passwordHash: `$argon2id$${'x'.repeat(80)}`,
    passwordTag: null,
    provider: 'acme',
    purpose: 'password_reset',
    purposes: ['password_reset'],
    reason: 'refused',
    recent: [idOf('session', n)],
    redirectTo: 'https://app.example',
    refreshToken: 'key1.new',
    requestHash: sha256(`request${n}`),
    forgottenKey: `login:${n}`,
    returnedKey: `login:${n + 1}`,
    returnedStamp: 1,
    retention: 90 * 86_400,
    role: 'user',
    scope: 'openid',
    secretHash: sha256(`secret${n}`),
    sessionId: idOf('session', n),
    setsLocale: true,
    setsName: true,
    // Taken while three transactions were in progress, the oldest for long.
    snapshot: '3:1000000:3,700,900000',
    staleToken: 'key1.old',
    stamps: [1, 1],
    subject: `subject${n}`,
    subjectId: idOf('user', n),
    to: 'key2.new',
    tokenId: randomUUID(),
    ttl: 7_776_000,
    uncounted: 0,
    unknown: 'e:nobody',
    userAgent: 'Mozilla/5.0',
    userId: idOf('user', n),
    window: 30
  }
}

const outbox = (name: string) => ({ [`${name}Id`]: randomUUID(), [`${name}Kind`]: 'mail', [`${name}Lane`]: null, [`${name}Life`]: 3600, [`${name}Payload`]: 'key1.x', [`${name}UserId`]: null })
const newUser = () => ({ userId: randomUUID(), email: `${randomUUID()}@example.com` })
const newSession = () => ({ sessionId: randomUUID(), secretHash: sha256(randomUUID()) })
const newIdentity = () => ({ identityId: randomUUID(), subject: randomUUID() })
const newHash = () => ({ hash: sha256(randomUUID()), requestHash: sha256(randomUUID()) })
const newMessage = (n: number) => ({ id: idOf('message', n + 1) })

const OF_STATEMENT: Readonly<Record<string, (n: number) => Readonly<Record<string, unknown>>>> = {
  'accounts.create': newUser,
  'accounts.create-with-session': () => ({ ...newUser(), ...newSession() }),
  'accounts.find': n => ({ id: idOf('user', n) }),
  'accounts.find-with-password': n => ({ id: idOf('user', n) }),
  'accounts.update': n => ({ id: idOf('user', n) }),
  'accounts.respell': n => ({ email: `${randomUUID()}@example.com`, former: `user${n}@example.com` }),
  'attempts.reserve': n => ({ keys: [`login:${n}`, 'login:new'], delayed: [true, false], kept: [3600, 3600], windowOf: [1, 2], limits: [10, 10], seconds: [60, 60] }),
  'audit.coalesce': n => ({ events: JSON.stringify([{ key: `key${n - 4}`, id: randomUUID(), times: 1, first_ago: 1, last_ago: 0, action: 'login', outcome: 'failure' }]) }),
  // Of a kind that happened to few, long ago.
  'audit.list-of-action': () => ({ action: 'unlock', before: idOf('event', 0xffffffff) }),
  'audit.list-of-subject': n => ({ subject: idOf('user', n), before: idOf('event', 0xffffffff) }),
  'audit.record': () => ({ id: randomUUID() }),
  'clients.find-all': n => ({ ids: [`client${Math.floor(n / 1000) * 1000}`] }),
  'code-login.open': newSession,
  'export.events': () => ({ after: idOf('event', 0) }),
  'flow-answers.record': newHash,
  'identities.create-account': () => ({ ...newUser(), ...newIdentity() }),
  'identities.link-by-email': newIdentity,
  'identities.link-in-session': newIdentity,
  'identities.link-to-reclaimed': newIdentity,
  'identities.find-tokens': n => ({ id: idOf('identity', n) }),
  'identities.acquire-refresh-lease': n => ({ id: idOf('identity', n), seconds: 60 }),
  'identities.replace-tokens': n => ({ id: idOf('identity', n) }),
  'identities.release-refresh-lease': n => ({ id: idOf('identity', n) }),
  'identities.reencrypt': n => ({ id: idOf('identity', n) }),
  'login-guards.give-back': n => ({ subject: `u:${idOf('user', n)}` }),
  'mailed-secrets.issue': newHash,
  'mailed-secrets.issue-decoy': newHash,
  'mailed-secrets.issue-link': newHash,
  'mailed-secrets.issue-pending': newHash,
  'one-time-tokens.issue': newHash,
  'one-time-tokens.mark-used': newHash,
  'outbox.claim': () => ({ limit: 10, lease: 60 }),
  'outbox.remove': newMessage,
  'outbox.postpone': newMessage,
  'outbox.bury': newMessage,
  'outbox.revive': n => ({ id: idOf('message', n) }),
  'outbox.reencrypt': newMessage,
  'registration.create': () => ({ ...newUser(), ...newSession() }),
  'restore-tokens.issue': newHash,
  'revocations.read-all': () => ({ after: 0 }),
  'revocations.restore': n => ({
    missing: JSON.stringify([
      { kind: 'session', id: idOf('session', n), minVersion: null, expiresAt: Date.now() / 1000 + 600 },
      { kind: 'user', id: idOf('user', n), minVersion: 7, expiresAt: Date.now() / 1000 + 600 }
    ])
  }),
  'sessions.open': newSession,
  'sessions.open-and-settle': newSession,
  'sessions.open-by-identity': newSession
}
