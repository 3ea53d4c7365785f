import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { Database, Log } from '../database/database.ts'
import type { Cookies } from '../http/cookies.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createAuthenticateSession } from './authenticate-session.ts'
import { createMemorySessionCache } from './cache/memory-session-cache.ts'
import { createRedisSessionCache } from './cache/redis-session-cache.ts'
import { createEndSessionStore } from './end-session-store.ts'
import { createCheckKnownDevice } from './known-device.ts'
import { createKnownDeviceCookie } from './known-device-cookie.ts'
import { createLogIn } from './log-in.ts'
import { createLogOut } from './log-out.ts'
import { createSendLogin } from './login-response.ts'
import { createOpenSession, createSessionIssuer } from './open-session.ts'
import { createOpenSessionStore } from './open-session-store.ts'
import { createPresence } from './presence.ts'
import { createSessionPurge } from './purge-store.ts'
import { createRefreshStore } from './refresh-store.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createSessionRenewal } from './renew-session.ts'
import { createRotateRefreshToken } from './rotate-refresh-token.ts'
import { createReadSessionCredentials } from './session-credential.ts'
import { createSessionCredentialStore } from './session-credential-store.ts'
import { createSessionListStore } from './session-list-store.ts'
import { createStatefulSessionStore } from './stateful-session-store.ts'

export interface SessionsDeps {
  config: Config
  database: Database
  revocation: RevocationState
  tokens: Tokens
  passwords: Passwords
  audit: AuditStore
  cookies: Cookies
  principal: (request: FastifyRequest) => Principal
  log: Log
}

/** Everything the service does with sessions. */
export type Sessions = Awaited<ReturnType<typeof composeSessions>>

export async function composeSessions ({ config, database, revocation, tokens, passwords, audit, cookies, principal, log }: SessionsDeps) {
  const { verifier, mint, mintFor } = tokens
  const ring = tokens.ring('refresh')
  const refreshTokens = createRefreshTokens(ring)
  const deviceCookie = createKnownDeviceCookie(tokens.ring('device'))
  const redis = config.redisUrl === undefined ? undefined : await createRedisSessionCache({ url: config.redisUrl, ring: tokens.ring('session-copy'), log })

  const endSessions = createEndSessionStore(database)
  const openSessionStore = createOpenSessionStore(database)
  const issuer = createSessionIssuer({
    endSessions,
    ledgerSync: revocation,
    mint,
    refreshTokens,
    sharedCache: redis,
    ring,
    stateless: { idleTtl: config.refreshIdleTtl, ttl: config.refreshTtl },
    stateful: { idleTtl: config.sessionIdleTtl, ttl: config.sessionTtl }
  })
  const openSession = createOpenSession(openSessionStore, issuer)

  const authenticateSession = createAuthenticateSession({
    sessions: createStatefulSessionStore(database),
    caches: redis === undefined ? [createMemorySessionCache()] : [createMemorySessionCache(), redis],
    revocations: revocation.set,
    isFresh: revocation.isFresh,
    now: revocation.now,
    idleTtl: config.sessionIdleTtl,
    onTouchFailed: error => log.warn({ err: error }, 'could not extend a stateful session')
  })

  const readCredentials = createReadSessionCredentials({ cookies, refreshTokens })
  const credentialStore = createSessionCredentialStore(database)

  return {
    authenticateSession,
    endSessions,
    checkKnownDevice: createCheckKnownDevice({ cookies, deviceCookie, verifier, authenticateSession }),
    issuer,
    logIn: createLogIn({ store: openSessionStore, passwords, openSession, mintFor, audit }),
    logOut: createLogOut({ end: endSessions.logOut, ledgerSync: revocation }),
    openSession,
    presence: createPresence({ credentialStore, readCredentials, principal }),
    readCredentials,
    refreshTokens,
    renewal: createSessionRenewal({ credentialStore, refreshTokens, mint, ring: tokens.ring('renewal') }),
    rotateRefreshToken: createRotateRefreshToken({ sessions: createRefreshStore(database), endSessions, ledgerSync: revocation, audit, refreshTokens, mintFor, ring, idleTtl: config.refreshIdleTtl }),
    sendLogin: createSendLogin({ cookies, deviceCookie }),
    sessionList: createSessionListStore(database),

    purge: createSessionPurge(database),
    /** Health checks of what sessions depend on beside the database. */
    probes: redis === undefined ? {} : { redis: redis.ping },
    async close (): Promise<void> {
      await redis?.close()
    }
  }
}
