import type { FastifyInstance } from 'fastify'
import type { InvalidToken } from 'countersign-verifier'
import { composeAccounts } from './accounts/compose.ts'
import { passwordRoute } from './accounts/password-route.ts'
import { accountRoutes } from './accounts/routes.ts'
import { AuditEventSchema, auditRoutes } from './admin/audit-routes.ts'
import { createAuditListStore } from './audit/list-store.ts'
import { adminRoutes, AdminUserSchema } from './admin/routes.ts'
import { createAdminStore } from './admin/store.ts'
import { createAuditPurge } from './audit/purge-store.ts'
import { createAuditStore } from './audit/store.ts'
import { composeOAuth } from './oauth/compose.ts'
import { createRevocationFeed } from './oauth/revocation-feed/feed.ts'
import { feedRoute } from './oauth/revocation-feed/routes.ts'
import { metadataRoutes } from './oauth/metadata-routes.ts'
import { OAuthErrorSchema } from './oauth/oauth-error-response.ts'
import { oauthRoutes } from './oauth/oauth-routes.ts'
import type { Config } from './config.ts'
import { databaseConfig } from './database/database-config.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open-database.ts'
import { startPurgeJob } from './database/purge-job.ts'
import { createGuards, type Guards } from './http/guards.ts'
import { createCloseStack, type CloseStack } from './http/close-stack.ts'
import { createCookies, type Cookies } from './http/cookies.ts'
import type { Probe } from './http/server/health.ts'
import { hideFromOpenApi } from './http/openapi/hide-from-openapi.ts'
import { acceptOnlyJson } from './http/json-parser.ts'
import { limitBodies } from './http/limits.ts'
import { createMetrics, type Metrics } from './http/server/metrics.ts'
import { handleProblems } from './http/problem-response.ts'
import { createCsrfProtection } from './http/csrf.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { serializeLazily } from './http/lazy-serializer.ts'
import { validateStrictly } from './http/strict-validator.ts'
import { createOneTimeTokenStore } from './one-time-tokens/store.ts'
import { addHashQueueMetrics } from './passwords/metrics.ts'
import { composePasswords } from './passwords/compose.ts'
import type { RequestPrincipal } from './request-principal.ts'
import { mobileRoutes } from './providers/flow/mobile-routes.ts'
import { identityRoutes, IdentitySchema, presentLinkedIdentity } from './providers/identities/identity-routes.ts'
import { linkRoutes } from './providers/identities/link-routes.ts'
import { composeProviders } from './providers/compose.ts'
import { signInRoutes } from './providers/flow/sign-in-routes.ts'
import { composeRevocation } from './revocation/compose.ts'
import { sessionListRoutes, SessionSchema } from './sessions/session-list-routes.ts'
import { LoginSchema, LoginWithIdentitiesSchema } from './sessions/login-schema.ts'
import { createPresence } from './sessions/presence.ts'
import { refreshRoute } from './sessions/refresh-route.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { composeSessions } from './sessions/compose.ts'
import { verifyRoute } from './sessions/verify-route.ts'
import { composeTokens } from './tokens/compose.ts'

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
export async function compose (app: FastifyInstance, config: Config, place: RequestPrincipal, options: ComposeOptions = {}): Promise<Service> {
  const closing = createCloseStack(app)
  try {
    return await composeParts(app, config, place, closing, options)
  } catch (error) {
    await closing.closeAll()
    throw error
  }
}

async function composeParts (app: FastifyInstance, config: Config, place: RequestPrincipal, closing: CloseStack, { open = openDatabase, prefix = '', hidden = false }: ComposeOptions): Promise<Service> {
  const database = await open({ ...databaseConfig(config), log: app.log })
  closing.add(database.close)
  const metrics = createMetrics()
  const audit = createAuditStore(database)
  const cookies = createCookies(config)
  const crossSite = createCsrfProtection(cookies, config.allowedOrigins)

  const passwords = composePasswords(config)
  addHashQueueMetrics(metrics, passwords.queue)
  const revocation = await composeRevocation({ database, metrics, maxStaleness: config.maxStaleness, log: app.log })
  closing.add(revocation.close)
  const tokens = await composeTokens({ app, config, database, revocation })
  const oneTime = createOneTimeTokenStore(database)
  const sessions = await composeSessions({ config, database, revocation, tokens, passwords, audit, cookies, log: app.log })
  closing.add(sessions.close)
  closing.add(startPurgeJob([sessions.purge, oneTime.purge, revocation.purge, createAuditPurge(database, config.auditRetention)], app.log))
  const accounts = composeAccounts({ database, sessions, passwords, propagation: revocation, audit, mintFor: tokens.mintFor })
  const onRefused = ({ reason }: InvalidToken) => metrics.tokenRefused(reason)
  const oauth = composeOAuth({ database, tokens, revocation, sessions, audit, onRefused })
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
  const presence = createPresence({ ...sessions, principal: place.read })
  const providers = composeProviders({ config, prefix, database, tokens, oneTimeTokens: oneTime, openSession: sessions.open, sendLogin: sessions.deliver, ledgerSync: revocation, audit, presence, log: app.log })
  const identitiesOf = async (userId: string) => (await providers.identityList.list(userId)).map(presentLinkedIdentity)
  const shared = { guards, presence, principal: place.read, cookies, crossSite, propagation: revocation }

  await app.register(async api => {
    handleProblems(api, { isUnavailable: isDatabaseUnavailable })
    acceptOnlyJson(api)
    limitBodies(api)
    const schemas = nameSchemas({ Login: LoginSchema, LoginWithIdentities: LoginWithIdentitiesSchema, Session: SessionSchema, Identity: IdentitySchema, AdminUser: AdminUserSchema, AuditEvent: AuditEventSchema, OAuthError: OAuthErrorSchema })
    validateStrictly(api, schemas)
    serializeLazily(api, schemas)
    if (hidden) hideFromOpenApi(api)
    else addSchemas(api, schemas)
    api.addHook('onRequest', (request, reply, done) => {
      reply.header('cache-control', 'no-store')
      crossSite.checkRequest(request)
      done()
    })

    await api.register(accountRoutes, { ...shared, ...accounts, standing: sessions.standing, deliver: sessions.deliver })
    await api.register(passwordRoute, { ...shared, ...accounts, ...sessions, identitiesOf })
    await api.register(sessionRoutes, { ...shared, ...sessions })
    await api.register(refreshRoute, { ...shared, ...sessions })
    await api.register(sessionListRoutes, { ...shared, ...sessions })
    await api.register(verifyRoute, shared)
    await api.register(signInRoutes, { ...shared, ...providers, cookieSameSite: config.cookieSameSite, isUnavailable: isDatabaseUnavailable })
    await api.register(mobileRoutes, { ...providers, oneTimeTokens: oneTime, sendLogin: sessions.deliver, csrf: crossSite, audit })
    await api.register(identityRoutes, { ...shared, ...providers })
    await api.register(linkRoutes, { ...shared, ...providers, csrf: crossSite })
    await api.register(async admin => {
      admin.addHook('preHandler', presence.requireToWrite)
      await admin.register(auditRoutes, { ...shared, trail: createAuditListStore(database) })
      await admin.register(adminRoutes, { ...shared, users: createAdminStore(database), standing: sessions.standing })
    })
    await api.register(oauthRoutes, { ...oauth, isUnavailable: isDatabaseUnavailable })
    await api.register(feedRoute, { feed, authorizeClient: oauth.authorizeClient, now: revocation.now })
    await api.register(metadataRoutes, { issuer: config.issuer, baseUrl: config.publicUrl + prefix, publicKeys: tokens.publicKeys })
  }, { prefix })

  return { guards, cookies, metrics, probes: { database: database.ping, revocations: async () => revocation.assertFresh(), ...sessions.probes } }
}
