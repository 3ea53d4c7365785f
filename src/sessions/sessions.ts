import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { Database, Log } from '../database/database.ts'
import type { Cookies } from '../http/cookies.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { createDeliverLogin } from './deliver-login.ts'
import { createDeviceCookies } from './device-cookie.ts'
import { createDeviceStore } from './device-store.ts'
import { createEndingStore } from './ending-store.ts'
import { createKnowsDevice } from './known-device.ts'
import { createLogIn } from './log-in.ts'
import { createLogOut } from './log-out.ts'
import { createMemoryCopies } from './memory-copies.ts'
import { createOpenSession, createSessionOpening } from './open-session.ts'
import { createSessionPurge } from './purge-store.ts'
import { createRecogniseSession } from './recognise-session.ts'
import { createRefreshStore } from './refresh-store.ts'
import { createRefreshTokens } from './refresh-token.ts'
import { createRotateRefreshToken } from './rotate-refresh-token.ts'
import { createRedisCopies } from './session-copies.ts'
import { createStandingStore } from './standing-store.ts'
import { createStatefulStore } from './stateful-store.ts'
import { createSessionStore } from './store.ts'

/** What sessions take. */
export interface SessionsParts {
  config: Config
  database: Database
  revocation: Revocation
  tokens: Tokens
  passwords: Passwords
  audit: AuditStore
  cookies: Cookies
  log: Log
}

/** Everything the service does with sessions. */
export type Sessions = Awaited<ReturnType<typeof createSessions>>

export async function createSessions ({ config, database, revocation, tokens, passwords, audit, cookies, log }: SessionsParts) {
  const { verifier, mint, mintFor } = tokens
  const ring = tokens.ring('refresh')
  const refreshTokens = createRefreshTokens(ring)
  const deviceCookies = createDeviceCookies(tokens.ring('device'))
  const redis = config.redisUrl === undefined ? undefined : await createRedisCopies({ url: config.redisUrl, ring: tokens.ring('session-copy'), log })

  const store = createSessionStore(database)
  const endings = createEndingStore(database)
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

  const recognise = createRecogniseSession({
    sessions: createStatefulStore(database),
    copies: redis === undefined ? [createMemoryCopies()] : [createMemoryCopies(), redis],
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
    devices: createDeviceStore(database),
    standing: createStandingStore(database),
    logIn: createLogIn({ sessions: store, passwords, openSession: open, mintFor, audit }),
    logOut: createLogOut({ endings, propagation: revocation }),
    rotate: createRotateRefreshToken({ sessions: createRefreshStore(database), endings, propagation: revocation, audit, refreshTokens, mintFor, ring, idleTtl: config.refreshIdleTtl }),
    deliver: createDeliverLogin({ cookies, devices: deviceCookies }),
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
