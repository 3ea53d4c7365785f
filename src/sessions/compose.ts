import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { Database, Log } from '../database/database.ts'
import type { Cookies } from '../http/cookies.ts'
import type { Passwords } from '../passwords/compose.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createCredentialStore } from './credential-store.ts'
import { createSendLogin } from './login-response.ts'
import { createKnownDeviceCookie } from './known-device-cookie.ts'
import { createSessionListStore } from './session-list-store.ts'
import { createEndSessionStore } from './end-session-store.ts'
import { createKnowsDevice } from './known-device.ts'
import { createLogIn } from './log-in.ts'
import { createLogOut } from './log-out.ts'
import { createMemorySessionCache } from './cache/memory-session-cache.ts'
import { createOpenSession, createSessionOpening } from './open-session.ts'
import { createPasswordStore } from './password-store.ts'
import { createSessionPurge } from './purge-store.ts'
import { createAuthenticateSession } from './authenticate-session.ts'
import { createRefreshStore } from './refresh-store.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createSessionRenewal } from './renew-session.ts'
import { createRotateRefreshToken } from './rotate-refresh-token.ts'
import { createReadSessionCredentials } from './session-credential.ts'
import { createRedisSessionCache } from './cache/redis-session-cache.ts'
import { createAccountStatusStore } from './standing-store.ts'
import { createStatefulSessionStore } from './stateful-session-store.ts'
import { createOpenSessionStore } from './open-session-store.ts'

export interface SessionsDeps {
  config: Config
  database: Database
  revocation: RevocationState
  tokens: Tokens
  passwords: Passwords
  audit: AuditStore
  cookies: Cookies
  log: Log
}

/** Everything the service does with sessions. */
export type Sessions = Awaited<ReturnType<typeof composeSessions>>

export async function composeSessions ({ config, database, revocation, tokens, passwords, audit, cookies, log }: SessionsDeps) {
  const { verifier, mint, mintFor } = tokens
  const ring = tokens.ring('refresh')
  const refreshTokens = createRefreshTokens(ring)
  const deviceCookies = createKnownDeviceCookie(tokens.ring('device'))
  const redis = config.redisUrl === undefined ? undefined : await createRedisSessionCache({ url: config.redisUrl, ring: tokens.ring('session-copy'), log })

  const store = createOpenSessionStore(database)
  const credentials = createCredentialStore(database)
  const endings = createEndSessionStore(database)
  const opening = createSessionOpening({
    endings,
    propagation: revocation,
    mint,
    refreshTokens,
    sharedCopies: redis,
    ring,
    stateless: { idleTtl: config.refreshIdleTtl, ttl: config.refreshTtl },
    stateful: { idleTtl: config.sessionIdleTtl, ttl: config.sessionTtl }
  })
  const open = createOpenSession(store, opening)

  const recognise = createAuthenticateSession({
    sessions: createStatefulSessionStore(database),
    copies: redis === undefined ? [createMemorySessionCache()] : [createMemorySessionCache(), redis],
    revocations: revocation.set,
    isFresh: revocation.isFresh,
    now: revocation.now,
    idleTtl: config.sessionIdleTtl,
    onTouchFailed: error => log.warn({ err: error }, 'could not write that a session is in use')
  })

  return {
    open,
    opening,
    endings,
    refreshTokens,
    credentials,
    readCredentials: createReadSessionCredentials({ cookies, refreshTokens }),
    renewal: createSessionRenewal({ credentials, refreshTokens, mint, ring: tokens.ring('renewal') }),
    passwordStore: createPasswordStore(database),
    devices: createSessionListStore(database),
    standing: createAccountStatusStore(database),
    logIn: createLogIn({ sessions: store, passwords, openSession: open, mintFor, audit }),
    logOut: createLogOut({ end: endings.logOut, ledgerSync: revocation }),
    rotate: createRotateRefreshToken({ sessions: createRefreshStore(database), endings, propagation: revocation, audit, refreshTokens, mintFor, ring, idleTtl: config.refreshIdleTtl }),
    deliver: createSendLogin({ cookies, devices: deviceCookies }),
    knowsDevice: createKnowsDevice({ cookies, devices: deviceCookies, verifier, recognise }),
    recognise,
    purge: createSessionPurge(database),
    /** The dependencies of sessions beside the database. */
    probes: redis === undefined ? {} : { redis: redis.ping },
    async close (): Promise<void> {
      await redis?.close()
    }
  }
}
