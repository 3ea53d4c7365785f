import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createHmacKey, createRevocationSet, createVerifier, type Principal } from 'countersign-verifier'
import { createChangePassword } from './accounts/change-password.ts'
import { createRegister } from './accounts/register.ts'
import { accountRoutes } from './accounts/routes.ts'
import { createAccountStore } from './accounts/store.ts'
import { adminRoutes, AdminUserSchema } from './admin/routes.ts'
import { createAdminStore } from './admin/store.ts'
import { createAuditStore } from './audit/store.ts'
import type { Config } from './config.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open.ts'
import { createGuards, type Guards } from './http/authenticate.ts'
import { createCookies, type Cookies } from './http/cookies.ts'
import type { Probe } from './http/health.ts'
import { readOnlyJson } from './http/json-body.ts'
import { limitBodies } from './http/limits.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { answerProblems } from './http/problem-response.ts'
import { createSameSiteRule } from './http/same-site.ts'
import { nameSchemas } from './http/schemas.ts'
import { writeBySchema } from './http/serialization.ts'
import { validateStrictly } from './http/validation.ts'
import { createPasswords } from './passwords/passwords.ts'
import { createFreshness } from './revocation/freshness.ts'
import { measureRevocation } from './revocation/measure.ts'
import { followLedger } from './revocation/propagation.ts'
import { createLedgerStore } from './revocation/store.ts'
import { createDeliverLogin } from './sessions/deliver-login.ts'
import { createDeviceCookies } from './sessions/device-cookie.ts'
import { deviceRoutes, SessionSchema } from './sessions/device-routes.ts'
import { createDeviceStore } from './sessions/device-store.ts'
import { createEndingStore } from './sessions/ending-store.ts'
import { createKnowsDevice } from './sessions/known-device.ts'
import { createLogIn } from './sessions/log-in.ts'
import { createLogOut } from './sessions/log-out.ts'
import { LoginSchema } from './sessions/login-schema.ts'
import { createMemoryCopies } from './sessions/memory-copies.ts'
import { createOpenSession } from './sessions/open-session.ts'
import { createSessionPurge } from './sessions/purge-store.ts'
import { purgeRegularly } from './sessions/purge.ts'
import { createRecogniseSession } from './sessions/recognise-session.ts'
import { refreshRoute } from './sessions/refresh-route.ts'
import { createRefreshStore } from './sessions/refresh-store.ts'
import { createRefreshTokens } from './sessions/refresh-token.ts'
import { createRotateRefreshToken } from './sessions/rotate-refresh-token.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { createRedisCopies } from './sessions/session-copies.ts'
import { createStatefulStore } from './sessions/stateful-store.ts'
import { createSessionStore } from './sessions/store.ts'
import { verifyRoute } from './sessions/verify-route.ts'
import { createStandingStore } from './sessions/standing-store.ts'
import { createAccessTokenMint } from './tokens/access-token.ts'
import { deriveKeyRing } from './tokens/derived-keys.ts'
import { registerJwtSigner } from './tokens/jwt-signer.ts'
import { createSeal } from './tokens/seal.ts'

/** Where the principal of a request is kept. */
export interface PrincipalPlace {
  read (request: FastifyRequest): Principal
  write (request: FastifyRequest, principal: Principal): void
}

/** The composed service, as far as others have to do with it. */
export interface Service {
  guards: Guards
  cookies: Cookies
  metrics: Metrics
  probes: Readonly<Record<string, Probe>>
}

/** What the composition leaves open. */
export interface ComposeOptions {
  open?: typeof openDatabase
  /** Stands before the paths of the routes. */
  prefix?: string
}

/**
 * Makes every part once, hands it to those who need it, and adds the routes to `app`, in a child of their own.
 *
 * @throws DatabaseStartError
 */
export async function compose (app: FastifyInstance, config: Config, place: PrincipalPlace, { open = openDatabase, prefix = '' }: ComposeOptions = {}): Promise<Service> {
  const database = await open({
    ...config.databaseUrl !== undefined && { url: config.databaseUrl },
    dataDir: config.dataDir,
    pool: {
      max: config.databasePoolSize,
      acquireTimeoutMs: config.databaseAcquireTimeout * 1000,
      statementTimeoutMs: config.databaseStatementTimeout * 1000
    },
    log: app.log
  })

  const metrics = createMetrics()
  const cookies = createCookies(config)
  const sameSite = createSameSiteRule(cookies, config.allowedOrigins)

  const { issuer, audience } = config
  const seal = createSeal(deriveKeyRing(config.secrets, 'seal').map(key => key.bytes))
  const jwtKeys = config.jwtSecrets.map(secret => ({ secret, key: createHmacKey(secret, issuer, audience) }))
  const revocations = createRevocationSet()
  const ledger = createLedgerStore(database)
  const propagation = await followLedger({ ledger, database, set: revocations, log: app.log })
  const freshness = createFreshness(propagation, config.maxStaleness)
  const verifier = createVerifier({ issuer, audience, keys: jwtKeys.map(({ key }) => key), revocations, isSealed: seal.isSealed, assertFresh: freshness.assertFresh })

  const redis = config.redisUrl === undefined ? [] : [createRedisCopies(config.redisUrl, app.log)]
  const recognise = createRecogniseSession({
    sessions: createStatefulStore(database),
    copies: [createMemoryCopies(), ...redis],
    revocations,
    isFresh: freshness.isFresh,
    now: propagation.now,
    idleTtl: config.sessionIdleTtl,
    onTouchFailed: error => app.log.warn({ err: error }, 'could not write that a session is in use')
  })
  const guards = createGuards({ verify: verifier.verify, recognise, cookies, sameSite, assign: place.write, onRefused: ({ reason }) => metrics.tokenRefused(reason) })

  const stopPurging = purgeRegularly([createSessionPurge(database), ledger.purge], app.log)
  app.addHook('onClose', async () => {
    stopPurging()
    await propagation.close()
    await Promise.all(redis.map(copies => copies.close()))
    await database.close()
  })
  measureRevocation(metrics, revocations, propagation)

  await app.register(async api => {
    answerProblems(api, { isUnavailable: isDatabaseUnavailable })
    readOnlyJson(api)
    limitBodies(api)
    validateStrictly(api)
    writeBySchema(api)
    nameSchemas(api, { Login: LoginSchema, Session: SessionSchema, AdminUser: AdminUserSchema })
    api.addHook('onRequest', (request, _reply, done) => { sameSite.onCarrying(request); done() })

    const [signing] = jwtKeys
    if (signing === undefined) throw new Error('JWT_SECRET holds no secret')
    const sign = await registerJwtSigner(api, { secret: signing.secret, kid: signing.key.kid })
    const mint = createAccessTokenMint({ sign, seal, issuer, audience, ttl: config.accessTokenTtl })

    const passwords = createPasswords(config)
    const sessions = createSessionStore(database)
    const accounts = createAccountStore(database)
    const refreshRing = deriveKeyRing(config.secrets, 'refresh')
    const refreshTokens = createRefreshTokens(refreshRing)
    const devices = createDeviceCookies(deriveKeyRing(config.secrets, 'device'))
    const audit = createAuditStore(database)
    const endings = createEndingStore(database)
    const standing = createStandingStore(database)
    const openSession = createOpenSession({
      sessions,
      endings,
      propagation,
      mint,
      refreshTokens,
      ring: refreshRing,
      stateless: { idleTtl: config.refreshIdleTtl, ttl: config.refreshTtl },
      stateful: { idleTtl: config.sessionIdleTtl, ttl: config.sessionTtl }
    })
    const rotate = createRotateRefreshToken({
      sessions: createRefreshStore(database),
      endings,
      propagation,
      audit,
      refreshTokens,
      mint,
      ring: refreshRing,
      idleTtl: config.refreshIdleTtl
    })
    const deliver = createDeliverLogin({ cookies, devices })
    const principal = place.read

    await api.register(accountRoutes, {
      register: createRegister({ accounts, passwords, openSession, audit }),
      changePassword: createChangePassword({ accounts, standing, passwords, propagation }),
      accounts,
      standing,
      propagation,
      deliver,
      guards,
      principal,
      sameSite
    })
    await api.register(sessionRoutes, {
      logIn: createLogIn({ sessions, passwords, openSession, audit }),
      logOut: createLogOut({ endings, propagation }),
      deliver,
      knowsDevice: createKnowsDevice({ cookies, devices, verifier }),
      guards,
      refreshTokens,
      cookies,
      sameSite
    })
    await api.register(refreshRoute, { rotate, deliver, cookies, sameSite })
    await api.register(deviceRoutes, { devices: createDeviceStore(database), endings, propagation, guards, principal })
    await api.register(verifyRoute, { guards, principal })
    await api.register(adminRoutes, { users: createAdminStore(database), standing, propagation, guards, principal })
  }, { prefix })

  return { guards, cookies, metrics, probes: { database: database.ping, ...redis[0] !== undefined && { redis: redis[0].ping } } }
}
