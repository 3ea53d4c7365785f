import type { FastifyInstance } from 'fastify'
import type { InvalidToken } from 'countersign-verifier'
import { createAccounts } from './accounts/accounts.ts'
import { accountRoutes } from './accounts/routes.ts'
import { AuditEventSchema, auditRoutes } from './admin/audit-routes.ts'
import { createAuditTrail } from './admin/audit-store.ts'
import { adminRoutes, AdminUserSchema } from './admin/routes.ts'
import { createAdminStore } from './admin/store.ts'
import { createAuditPurge } from './audit/purge-store.ts'
import { createAuditStore } from './audit/store.ts'
import { createClients } from './clients/clients.ts'
import { createRevocationFeed } from './clients/feed/feed.ts'
import { feedRoute } from './clients/feed/routes.ts'
import { metadataRoutes } from './clients/metadata-routes.ts'
import { OAuthErrorSchema } from './clients/oauth-response.ts'
import { oauthRoutes } from './clients/oauth-routes.ts'
import type { Config } from './config.ts'
import { databaseOptions } from './database/options.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open.ts'
import { purgeRegularly } from './database/purge.ts'
import { createGuards, type Guards } from './http/authenticate.ts'
import { closeWith, type Closing } from './http/closing.ts'
import { createCookies, type Cookies } from './http/cookies.ts'
import type { Probe } from './http/health.ts'
import { hideRoutes } from './http/hidden-routes.ts'
import { readOnlyJson } from './http/json-body.ts'
import { limitBodies } from './http/limits.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { answerProblems } from './http/problem-response.ts'
import { createCrossSiteRule } from './http/cross-site.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { writeBySchema } from './http/serialization.ts'
import { validateStrictly } from './http/validation.ts'
import { createOneTimeStore } from './one-time/store.ts'
import { measureHashQueue } from './passwords/measure.ts'
import { createPasswords } from './passwords/passwords.ts'
import type { PrincipalPlace } from './principal-place.ts'
import { appRoutes } from './providers/app-routes.ts'
import { identityRoutes, IdentitySchema } from './providers/identity-routes.ts'
import { createProviders } from './providers/providers.ts'
import { signInRoutes } from './providers/sign-in-routes.ts'
import { createRevocation } from './revocation/revocation.ts'
import { deviceRoutes, SessionSchema } from './sessions/device-routes.ts'
import { LoginSchema } from './sessions/login-schema.ts'
import { refreshRoute } from './sessions/refresh-route.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { createSessions } from './sessions/sessions.ts'
import { verifyRoute } from './sessions/verify-route.ts'
import { createTokens } from './tokens/tokens.ts'

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
  /** Keeps the routes out of the app's OpenAPI document. */
  hidden?: boolean
}

/**
 * Makes every part once, hands it to those who need it, and adds the routes to `app`, in a child of their own. Where that
 * fails half-way, nothing is left open.
 *
 * @throws DatabaseStartError
 */
export async function compose (app: FastifyInstance, config: Config, place: PrincipalPlace, options: ComposeOptions = {}): Promise<Service> {
  const closing = closeWith(app)
  try {
    return await composeParts(app, config, place, closing, options)
  } catch (error) {
    await closing.now()
    throw error
  }
}

async function composeParts (app: FastifyInstance, config: Config, place: PrincipalPlace, closing: Closing, { open = openDatabase, prefix = '', hidden = false }: ComposeOptions): Promise<Service> {
  const database = await open({ ...databaseOptions(config), log: app.log })
  closing.add(database.close)
  const metrics = createMetrics()
  const audit = createAuditStore(database)
  const cookies = createCookies(config)
  const crossSite = createCrossSiteRule(cookies, config.allowedOrigins)

  const passwords = createPasswords(config)
  measureHashQueue(metrics, passwords.queue)
  const revocation = await createRevocation({ database, metrics, maxStaleness: config.maxStaleness, log: app.log })
  closing.add(revocation.close)
  const tokens = await createTokens({ app, config, database, revocation })
  const oneTime = createOneTimeStore(database)
  const sessions = await createSessions({ config, database, revocation, tokens, passwords, audit, cookies, log: app.log })
  closing.add(sessions.close)
  closing.add(purgeRegularly([sessions.purge, oneTime.purge, revocation.purge, createAuditPurge(database, config.auditRetention)], app.log))
  const accounts = createAccounts({ database, sessions, passwords, propagation: revocation, audit, mintFor: tokens.mintFor })
  const onRefused = ({ reason }: InvalidToken) => metrics.tokenRefused(reason)
  const clients = createClients({ database, tokens, revocation, sessions, audit, onRefused })
  const feed = createRevocationFeed({ database, revocation, metrics })

  const guards = createGuards({
    verify: tokens.verifier.verify,
    recognise: sessions.recognise,
    cookies,
    crossSite,
    assign: place.write,
    onRefused,
    isUnavailable: isDatabaseUnavailable
  })
  const providers = createProviders({ config, prefix, database, tokens, sessions, oneTime, passwords, revocation, audit, guards, cookies, log: app.log })
  const shared = { guards, principal: place.read, cookies, crossSite, propagation: revocation }

  await app.register(async api => {
    answerProblems(api, { isUnavailable: isDatabaseUnavailable })
    readOnlyJson(api)
    limitBodies(api)
    const schemas = nameSchemas({ Login: LoginSchema, Session: SessionSchema, Identity: IdentitySchema, AdminUser: AdminUserSchema, AuditEvent: AuditEventSchema, OAuthError: OAuthErrorSchema })
    validateStrictly(api, schemas)
    writeBySchema(api, schemas)
    if (hidden) hideRoutes(api)
    else addSchemas(api, schemas)
    api.addHook('onRequest', (request, reply, done) => {
      reply.header('cache-control', 'no-store')
      crossSite.onCarrying(request)
      done()
    })

    await api.register(accountRoutes, { ...shared, ...accounts, standing: sessions.standing, deliver: sessions.deliver })
    await api.register(sessionRoutes, { ...shared, ...sessions })
    await api.register(refreshRoute, { ...shared, ...sessions })
    await api.register(deviceRoutes, { ...shared, ...sessions })
    await api.register(verifyRoute, shared)
    await api.register(signInRoutes, { ...shared, ...providers, cookieSameSite: config.cookieSameSite, isUnavailable: isDatabaseUnavailable })
    await api.register(appRoutes, { ...shared, ...providers, deliver: sessions.deliver })
    await api.register(identityRoutes, { ...shared, ...providers })
    await api.register(auditRoutes, { ...shared, trail: createAuditTrail(database) })
    await api.register(adminRoutes, { ...shared, users: createAdminStore(database), standing: sessions.standing })
    await api.register(oauthRoutes, { ...clients, isUnavailable: isDatabaseUnavailable })
    await api.register(feedRoute, { ...clients, feed, now: revocation.now })
    await api.register(metadataRoutes, { ...clients, issuer: config.issuer, baseUrl: config.publicUrl + prefix })
  }, { prefix })

  return { guards, cookies, metrics, probes: { database: database.ping, revocations: async () => revocation.assertFresh(), ...sessions.probes } }
}
