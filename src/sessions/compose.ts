import type { FastifyRequest } from 'fastify'
import type { InvalidToken, Principal } from 'countersign-verifier'
import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import { createBatchedQuery } from '../database/batched-query.ts'
import type { Database, Log } from '../database/database.ts'
import type { LastOutage } from '../database/outages.ts'
import type { RedisConnection } from '../database/open-redis.ts'
import type { Cookies } from '../http/cookies.ts'
import type { Limits } from '../limits/compose.ts'
import { limitInRow } from '../limits/limit-in-row.ts'
import type { Mail } from '../mail/compose.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createAuthenticateSession } from './authenticate-session.ts'
import { createForgetSessions } from './cache/forget-sessions.ts'
import { createMemorySessionCache } from './cache/memory-session-cache.ts'
import { createRedisSessionCache } from './cache/redis-session-cache.ts'
import { createEndSessionStore } from './end-session-store.ts'
import { createFindKnownDevices } from './known-device.ts'
import { createKnownDeviceCookie } from './known-device-cookie.ts'
import { createAdmitLogin } from './login-attempt.ts'
import { createLiveSessionStore } from './live-session-store.ts'
import { createLogIn } from './log-in.ts'
import { createLogOut } from './log-out.ts'
import { createReadLogoutCredentials } from './logout-credentials.ts'
import { createSendLogin } from './login-response.ts'
import { createOpenSession, createSessionIssuer } from './open-session.ts'
import { createOpenSessionStore } from './open-session-store.ts'
import { createPresence } from './presence.ts'
import { createProvePassword } from './prove-password.ts'
import { createSessionPurge } from './purge-store.ts'
import { createRefreshStore } from './refresh-store.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createSessionRenewal } from './renew-session.ts'
import { createRotateRefreshToken } from './rotate-refresh-token.ts'
import { createReadSessionCredentials } from './session-credential.ts'
import { createSessionCredentialStore } from './session-credential-store.ts'
import { createSessionListStore } from './session-list-store.ts'
import { createSessionNotices } from './session-notices.ts'
import { createStatefulSessionStore } from './stateful-session-store.ts'

export interface SessionsDeps {
  config: Config
  database: Database
  lastOutage: LastOutage
  redis: RedisConnection | undefined
  revocation: RevocationState
  limits: Limits
  tokens: Tokens
  passwords: Passwords
  mail: Mail
  outbox: Outbox
  audit: AuditStore
  cookies: Cookies
  principal: (request: FastifyRequest) => Principal
  /** Called for each refused access token. */
  onRefused (error: InvalidToken): void
  log: Log
}

/** Everything the service does with sessions. */
export type Sessions = ReturnType<typeof composeSessions>

export function composeSessions ({ config, database, lastOutage, redis, limits, revocation, tokens, passwords, mail, outbox, audit, cookies, principal, onRefused, log }: SessionsDeps) {
  const { verifier, mint, mintFor } = tokens
  const ring = tokens.ring('refresh')
  const refreshTokens = createRefreshTokens(ring)
  const deviceCookie = createKnownDeviceCookie(tokens.ring('device'))
  const sharedCache = redis && createRedisSessionCache({ redis, ring: tokens.ring('session-copy') })

  const refreshLimit = limitInRow('refresh', config.rateLimits.refresh)
  const caches = [createMemorySessionCache(), ...sharedCache === undefined ? [] : [sharedCache]]
  const forget = createForgetSessions(caches)
  const endSessions = createEndSessionStore({ query: database.query, onEnded: forget })
  const openSessionStore = createOpenSessionStore(database)
  const issuer = createSessionIssuer({
    endSessions,
    ledgerSync: revocation,
    mint,
    refreshTokens,
    sharedCache,
    ring,
    networkTag: limits.networkTag,
    stateless: { idleTtl: config.refreshIdleTtl, ttl: config.refreshTtl },
    stateful: { idleTtl: config.sessionIdleTtl, ttl: config.sessionTtl }
  })
  const notices = createSessionNotices({ mail, outbox })
  const openSession = createOpenSession(openSessionStore, issuer, notices)

  const authenticateSession = createAuthenticateSession({
    sessions: createStatefulSessionStore(database),
    caches,
    forget,
    revocations: revocation.set,
    isFresh: revocation.isFresh,
    now: revocation.now,
    idleTtl: config.sessionIdleTtl,
    onTouchFailed: error => log.warn({ err: error }, 'could not extend a stateful session')
  })

  // Whoever logs out is never refused for how many others do. Anybody can make up the cookie of a stateful session, or repeat what
  // named a session once: all of them together are two queries at a time, and only what names a live session costs a statement.
  const isNotEnded = createBatchedQuery(createLiveSessionStore(database).areNotEnded)

  const readCredentials = createReadSessionCredentials({ cookies, refreshTokens })
  const credentialStore = createSessionCredentialStore(database)

  const admit = createAdmitLogin({ limiter: limits.limiter, loginGuard: limits.loginGuard, store: openSessionStore })

  return {
    authenticateSession,
    endSessions,
    findKnownDevices: createFindKnownDevices({ cookies, deviceCookie, verifier, authenticateSession }),
    issuer,
    logIn: createLogIn({ store: openSessionStore, admit, passwords, openSession, mintFor, requireVerifiedEmail: config.requireVerifiedEmail, audit }),
    logOut: createLogOut({ end: async (session, client) => await isNotEnded(session) ? endSessions.logOut(session, client) : [], ledgerSync: revocation }),
    readLogoutCredentials: createReadLogoutCredentials({ cookies, refreshTokens, sessionOf: tokens.sessionOf, onRefused }),
    notices,
    openSession,
    presence: createPresence({ credentialStore, readCredentials, principal }),
    provePassword: createProvePassword({ admit, passwords, audit }),
    readCredentials,
    refreshTokens,
    renewal: createSessionRenewal({ credentialStore, refreshTokens, mint, ring: tokens.ring('renewal') }),
    rotateRefreshToken: createRotateRefreshToken({ limit: refreshLimit, networkTag: limits.networkTag, sessions: createRefreshStore(database, refreshLimit), lastOutage, revocations: revocation.set, endSessions, ledgerSync: revocation, audit, notices, refreshTokens, mintFor, ring, idleTtl: config.refreshIdleTtl }),
    sendLogin: createSendLogin({ cookies, deviceCookie }),
    sessionList: createSessionListStore(database),

    purge: createSessionPurge(database)
  }
}
