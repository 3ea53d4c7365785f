import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import type { Accounts } from './accounts/compose.ts'
import { passwordRoute } from './accounts/password-route.ts'
import { accountRoutes } from './accounts/routes.ts'
import { AuditEventSchema, auditRoutes } from './admin/audit-routes.ts'
import { adminRoutes, AdminUserSchema } from './admin/routes.ts'
import type { AdminStore } from './admin/store.ts'
import type { AuditListStore } from './audit/list-store.ts'
import type { AuditStore } from './audit/store.ts'
import type { Config } from './config.ts'
import { isDatabaseUnavailable as isUnavailable } from './database/errors.ts'
import type { Cookies } from './http/cookies.ts'
import type { CsrfProtection } from './http/csrf.ts'
import type { Guards } from './http/guards.ts'
import { acceptOnlyJson } from './http/json-parser.ts'
import { serializeLazily } from './http/lazy-serializer.ts'
import { limitBodies } from './http/limits.ts'
import { hideFromOpenApi } from './http/openapi/hide-from-openapi.ts'
import { handleProblems } from './http/problem-response.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { validateStrictly } from './http/strict-validator.ts'
import type { composeOAuth } from './oauth/compose.ts'
import { metadataRoutes } from './oauth/metadata-routes.ts'
import { OAuthErrorSchema } from './oauth/oauth-error-response.ts'
import { oauthRoutes } from './oauth/oauth-routes.ts'
import type { RevocationFeed } from './oauth/revocation-feed/feed.ts'
import { feedRoute } from './oauth/revocation-feed/routes.ts'
import type { OneTimeTokenStore } from './one-time-tokens/store.ts'
import type { composeProviders } from './providers/compose.ts'
import { mobileRoutes } from './providers/flow/mobile-routes.ts'
import { signInRoutes } from './providers/flow/sign-in-routes.ts'
import { identityRoutes, IdentitySchema, presentLinkedIdentity } from './providers/identities/identity-routes.ts'
import { linkRoutes } from './providers/identities/link-routes.ts'
import type { RevocationState } from './revocation/compose.ts'
import type { Sessions } from './sessions/compose.ts'
import { refreshRoute } from './sessions/refresh-route.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { LoginSchema, LoginWithIdentitiesSchema } from './sessions/schemas.ts'
import { sessionListRoutes, SessionSchema } from './sessions/session-list-routes.ts'
import { verifyRoute } from './sessions/verify-route.ts'
import type { Tokens } from './tokens/compose.ts'

/** The parts of the service that its routes use. */
export interface RoutesDeps {
  config: Config
  prefix: string
  hidden: boolean
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  cookies: Cookies
  csrf: CsrfProtection
  revocation: RevocationState
  tokens: Tokens
  sessions: Sessions
  accounts: Accounts
  providers: ReturnType<typeof composeProviders>
  oneTimeTokens: OneTimeTokenStore
  audit: AuditStore
  oauth: ReturnType<typeof composeOAuth>
  feed: RevocationFeed
  admin: { users: AdminStore, auditList: AuditListStore }
}

/** Adds every route of the service, in a child of `app`: what is set up here does not change a host's own routes. */
export async function addRoutes (app: FastifyInstance, { config, prefix, hidden, guards, principal, cookies, csrf, revocation, tokens, sessions, accounts, providers, oneTimeTokens, audit, oauth, feed, admin }: RoutesDeps): Promise<void> {
  const { checkKnownDevice, endSessions, logIn, logOut, presence, readCredentials, refreshTokens, rotateRefreshToken, sendLogin, sessionList } = sessions
  const { accountStatus, changePassword, register } = accounts
  const listIdentities = async (userId: string) => (await providers.identityList.list(userId)).map(presentLinkedIdentity)

  await app.register(async api => {
    handleProblems(api, { isUnavailable })
    acceptOnlyJson(api)
    limitBodies(api)
    const schemas = nameSchemas({ Login: LoginSchema, LoginWithIdentities: LoginWithIdentitiesSchema, Session: SessionSchema, Identity: IdentitySchema, AdminUser: AdminUserSchema, AuditEvent: AuditEventSchema, OAuthError: OAuthErrorSchema })
    validateStrictly(api, schemas)
    serializeLazily(api, schemas)
    if (hidden) hideFromOpenApi(api)
    else addSchemas(api, schemas)
    api.addHook('onRequest', (request, reply, done) => {
      reply.header('cache-control', 'no-store')
      csrf.checkRequest(request)
      done()
    })

    await api.register(accountRoutes, { register, accounts: accounts.store, accountStatus, presence, ledgerSync: revocation, sendLogin, guards, principal, cookies, csrf })
    await api.register(passwordRoute, { changePassword, presence, readCredentials, listIdentities, sendLogin, guards })
    await api.register(sessionRoutes, { logIn, logOut, checkKnownDevice, refreshTokens, sendLogin, guards, cookies, csrf })
    await api.register(refreshRoute, { rotateRefreshToken, sendLogin, cookies, csrf })
    await api.register(sessionListRoutes, { sessionList, endSessions, ledgerSync: revocation, guards, principal })
    await api.register(verifyRoute, { guards, principal })

    await api.register(signInRoutes, {
      providers: providers.providers,
      redirectTargets: providers.redirectTargets,
      flows: providers.flows,
      startAuthorization: providers.startAuthorization,
      handleCallback: providers.handleCallback,
      linkTickets: providers.linkTickets,
      cookies,
      cookieSameSite: config.cookieSameSite,
      isUnavailable
    })
    await api.register(mobileRoutes, {
      providers: providers.providers,
      oneTimeTokens,
      mobileCodes: providers.mobileCodes,
      resolveAccount: providers.resolveAccount,
      openIdentitySession: providers.openIdentitySession,
      sendLogin,
      csrf,
      audit
    })
    await api.register(identityRoutes, { providers: providers.providers, identityList: providers.identityList, getFreshProviderToken: providers.getFreshProviderToken, presence, guards, principal })
    await api.register(linkRoutes, {
      providers: providers.providers,
      redirectTargets: providers.redirectTargets,
      startAuthorization: providers.startAuthorization,
      linkUrl: providers.linkUrl,
      linkTickets: providers.linkTickets,
      linkCodes: providers.linkCodes,
      linkIdentity: providers.linkIdentity,
      presence,
      guards,
      principal,
      csrf
    })

    await api.register(async adminApi => {
      adminApi.addHook('preHandler', presence.requireToWrite)
      await adminApi.register(auditRoutes, { auditList: admin.auditList, guards })
      await adminApi.register(adminRoutes, { users: admin.users, accountStatus, ledgerSync: revocation, guards, principal })
    })

    await api.register(oauthRoutes, { authenticateClient: oauth.authenticateClient, authorizeClient: oauth.authorizeClient, grant: oauth.grant, introspect: oauth.introspect, revoke: oauth.revoke, isUnavailable })
    await api.register(feedRoute, { feed, authorizeClient: oauth.authorizeClient, now: revocation.now })
    await api.register(metadataRoutes, { issuer: config.issuer, baseUrl: config.publicUrl + prefix, publicKeys: tokens.publicKeys })
  }, { prefix })
}
