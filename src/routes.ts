import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import type { Accounts } from './accounts/compose.ts'
import { createExportAccount } from './accounts/export-account.ts'
import { exportRoute } from './accounts/export-route.ts'
import { passwordRoute } from './accounts/password-route.ts'
import { registerRoute } from './accounts/register-route.ts'
import { accountRoutes, MeSchema } from './accounts/routes.ts'
import { deletionRoutes } from './accounts/deletion-routes.ts'
import { AuditEventSchema, auditRoutes } from './admin/audit-routes.ts'
import { createActorOf } from './admin/acting-admin.ts'
import type { PrepareInvitation } from './admin/prepare-invitation.ts'
import { AdminUserSchema } from './admin/schemas.ts'
import type { AdminStore } from './admin/store.ts'
import { userActionRoutes } from './admin/user-action-routes.ts'
import { userRoutes } from './admin/user-routes.ts'
import type { AuditListStore } from './audit/list-store.ts'
import type { AuditStore } from './audit/store.ts'
import type { composeCodeLogin } from './code-login/compose.ts'
import { codeLoginRoutes } from './code-login/routes.ts'
import type { Config } from './config.ts'
import { isDatabaseUnavailable as isUnavailable } from './database/errors.ts'
import type { EmailChange } from './email-change/compose.ts'
import { createReadSession } from './email-change/asking-session.ts'
import { emailChangeRoutes } from './email-change/routes.ts'
import type { Cookies } from './http/cookies.ts'
import type { CsrfProtection } from './http/csrf.ts'
import type { Guards } from './http/guards.ts'
import { acceptOnlyJson } from './http/json-parser.ts'
import { serializeLazily } from './http/lazy-serializer.ts'
import { limitBodies } from './http/limits.ts'
import type { AttemptLimiter } from './limits/attempt-limiter.ts'
import { watchUntrustedProxies } from './limits/untrusted-proxies.ts'
import type { Metrics } from './http/server/metrics.ts'
import { hideFromOpenApi } from './http/openapi/hide-from-openapi.ts'
import { serializeOwnPayloads } from './http/own-serialization.ts'
import { handleProblems } from './http/problem-response.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { logSerializers } from './http/serialize-error.ts'
import { validateStrictly } from './http/strict-validator.ts'
import type { Mail } from './mail/compose.ts'
import { developmentMailRoute } from './mail/development-route.ts'
import type { AskForMail } from './mail-requests/ask-for-mail.ts'
import type { composeOAuth } from './oauth/compose.ts'
import { metadataRoutes } from './oauth/metadata-routes.ts'
import { OAuthErrorSchema } from './oauth/oauth-error-response.ts'
import { oauthRoutes } from './oauth/oauth-routes.ts'
import type { RevocationFeed } from './oauth/revocation-feed/feed.ts'
import { feedRoute } from './oauth/revocation-feed/routes.ts'
import type { OneTimeTokenStore } from './one-time-tokens/store.ts'
import { createEmailChangePage } from './pages/email-change-page.ts'
import { createEmailRevertPage } from './pages/email-revert-page.ts'
import { linkPageRoutes } from './pages/link-page-routes.ts'
import { serializeWithoutQuery } from './pages/request-log.ts'
import { createForgotPage } from './pages/forgot-page.ts'
import { createRegisterPage } from './pages/register-page.ts'
import { createResetPage } from './pages/reset-page.ts'
import { createRestorePage } from './pages/restore-page.ts'
import { createVerifyPage } from './pages/verify-page.ts'
import type { composeProviders } from './providers/compose.ts'
import { callbackRoute } from './providers/flow/callback-route.ts'
import { mobileRoutes } from './providers/flow/mobile-routes.ts'
import { signInRoutes } from './providers/flow/sign-in-routes.ts'
import { identityRoutes, IdentitySchema, presentLinkedIdentity } from './providers/identities/identity-routes.ts'
import { linkRoutes } from './providers/identities/link-routes.ts'
import type { composeRecovery } from './recovery/compose.ts'
import { recoveryRoutes } from './recovery/routes.ts'
import type { composeRegistration } from './registration/compose.ts'
import { confirmRegistrationRoute } from './registration/confirm-route.ts'
import { startRegistrationRoute } from './registration/start-route.ts'
import type { RevocationState } from './revocation/compose.ts'
import type { Sessions } from './sessions/compose.ts'
import { logoutRoute } from './sessions/logout-route.ts'
import { refreshRoute } from './sessions/refresh-route.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { LoginSchema, LoginWithIdentitiesSchema } from './sessions/schemas.ts'
import { sessionListRoutes, SessionSchema } from './sessions/session-list-routes.ts'
import { verifyRoute } from './sessions/verify-route.ts'
import type { Tokens } from './tokens/compose.ts'
import type { composeVerification } from './verification/compose.ts'
import { verificationRoutes } from './verification/routes.ts'

/** The parts of the service that its routes use. */
export interface RoutesDeps {
  config: Config
  /** `PUBLIC_URL`, with what precedes the paths of the routes. */
  baseUrl: string
  prefix: string
  isHosted: boolean
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  cookies: Cookies
  csrf: CsrfProtection
  limiter: AttemptLimiter
  metrics: Metrics
  revocation: RevocationState
  tokens: Tokens
  sessions: Sessions
  accounts: Accounts
  registration: ReturnType<typeof composeRegistration>
  verification: ReturnType<typeof composeVerification>
  codeLogin: ReturnType<typeof composeCodeLogin>
  recovery: ReturnType<typeof composeRecovery>
  emailChange: EmailChange
  providers: ReturnType<typeof composeProviders>
  oneTimeTokens: OneTimeTokenStore
  audit: AuditStore
  oauth: ReturnType<typeof composeOAuth>
  feed: RevocationFeed
  admin: { users: AdminStore, prepareInvitation: PrepareInvitation, wakeOutbox: () => void, auditList: AuditListStore }
  mail: Mail
  askForMail: AskForMail
}

const SCHEMAS = nameSchemas({ Me: MeSchema, Login: LoginSchema, LoginWithIdentities: LoginWithIdentitiesSchema, Session: SessionSchema, Identity: IdentitySchema, AdminUser: AdminUserSchema, AuditEvent: AuditEventSchema, OAuthError: OAuthErrorSchema })

/** Adds every route of the service, in a child of `app`: what is set up here does not change a host's own routes. */
export async function addRoutes (app: FastifyInstance, { config, baseUrl, prefix, isHosted, guards, principal, cookies, csrf, limiter, metrics, revocation, tokens, sessions, accounts, registration, verification, codeLogin, recovery, emailChange, providers, oneTimeTokens, audit, oauth, feed, admin, mail, askForMail }: RoutesDeps): Promise<void> {
  const { findKnownDevices, endSessions, logIn, logOut, presence, readCredentials, readLogoutCredentials, rotateRefreshToken, sendLogin, sessionList } = sessions
  const { accountStatus, changePassword, deletion, register } = accounts
  const readSession = createReadSession({ guards, presence })
  const listIdentities = async (userId: string) => (await providers.identityList.list(userId)).map(presentLinkedIdentity)

  await app.register(async api => {
    handleProblems(api, { isUnavailable })
    acceptOnlyJson(api)
    limitBodies(api)
    validateStrictly(api, SCHEMAS)
    serializeLazily(api, SCHEMAS)
    serializeOwnPayloads(api)
    if (isHosted) hideFromOpenApi(api)
    else addSchemas(api, SCHEMAS)
    api.addHook('onRequest', (request, reply, done) => {
      reply.header('cache-control', 'no-store')
      csrf.checkRequest(request)
      oauth.readForwardedClient(request)
      done()
    })
    watchUntrustedProxies(api, metrics)

    if (config.requireVerifiedEmail) await api.register(startRegistrationRoute, { startRegistration: registration.startRegistration })
    else await api.register(registerRoute, { register, sendLogin, csrf })
    await api.register(accountRoutes, { accounts: accounts.store, guards, principal })
    await api.register(deletionRoutes, { deletion, canRestore: mail.isAvailable, limiter, presence, guards, cookies })
    await api.register(exportRoute, { exportAccount: createExportAccount({ store: accounts.exports, audit, listIdentities }), guards, principal })
    await api.register(passwordRoute, { changePassword, presence, readCredentials, readLogoutCredentials, listIdentities, sendLogin, guards })
    if (mail.isAvailable) {
      await api.register(confirmRegistrationRoute, { confirmRegistration: registration.confirmRegistration, sendLogin, csrf })
      await api.register(verificationRoutes, { verifyEmail: verification.verifyEmail, askForMail, findKnownDevices, guards })
      await api.register(recoveryRoutes, { askForMail, resetPassword: recovery.resetPassword })
      await api.register(emailChangeRoutes, { ...emailChange, readSession, presence, guards, findKnownDevices })
      if (config.codeLogin) await api.register(codeLoginRoutes, { askForMail, logInByCode: codeLogin.logInByCode, sendLogin, findKnownDevices, csrf })
    }
    await api.register(sessionRoutes, { logIn, findKnownDevices, sendLogin, csrf })
    await api.register(logoutRoute, { logOut, readLogoutCredentials, cookies, csrf })
    await api.register(refreshRoute, { rotateRefreshToken, sendLogin, cookies, csrf })
    await api.register(sessionListRoutes, { sessionList, endSessions, ledgerSync: revocation, guards, principal })
    await api.register(verifyRoute, { guards, principal })

    await api.register(signInRoutes, {
      providers: providers.providers,
      redirectTargets: providers.redirectTargets,
      startAuthorization: providers.startAuthorization,
      failSignIn: providers.failSignIn,
      linkTickets: providers.linkTickets,
      limiter,
      publicUrl: config.publicUrl
    })
    await api.register(callbackRoute, {
      providers: providers.providers,
      redirectTargets: providers.redirectTargets,
      flows: providers.flows,
      flowAnswers: providers.flowAnswers,
      handleCallback: providers.handleCallback,
      failSignIn: providers.failSignIn,
      presence,
      sendLogin,
      limiter,
      cookies,
      cookieSameSite: config.cookieSameSite
    })
    await api.register(mobileRoutes, {
      providers: providers.providers,
      oneTimeTokens,
      mobileCodes: providers.mobileCodes,
      resolveAccount: providers.resolveAccount,
      openIdentitySession: providers.openIdentitySession,
      limiter,
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
      limiter,
      presence,
      guards,
      principal,
      csrf,
      recordLinkFailure: providers.recordLinkFailure
    })

    await api.register(async adminApi => {
      adminApi.addHook('preHandler', presence.requireToWrite)
      await adminApi.register(auditRoutes, { auditList: admin.auditList, guards })
      const shared = { users: admin.users, prepareInvitation: admin.prepareInvitation, wakeOutbox: admin.wakeOutbox, ledgerSync: revocation, guards, actorOf: createActorOf(principal) }
      await adminApi.register(userRoutes, { ...shared, setRoleAndStatus: accountStatus.setRoleAndStatus, removeNow: deletion.removeNow })
      await adminApi.register(userActionRoutes, { ...shared, actions: { ...accountStatus, restore: deletion.restore }, canInvite: mail.isAvailable })
    })

    await api.register(oauthRoutes, { authenticateClient: oauth.authenticateClient, authorizeClient: oauth.authorizeClient, grant: oauth.grant, introspect: oauth.introspect, revoke: oauth.revoke, isUnavailable })
    await api.register(feedRoute, { feed, authorizeClient: oauth.authorizeClient, findClients: oauth.findClients, now: revocation.now })
    await api.register(metadataRoutes, { issuer: config.issuer, baseUrl, publicKeys: tokens.publicKeys })
    if (mail.inbox !== undefined) await api.register(developmentMailRoute, { inbox: mail.inbox })
    // Without them a host's logger quotes rows of the database. Ours has them, and would copy them for each request.
  }, { prefix, ...isHosted && { logSerializers: forFastify(logSerializers) } })

  // With MAIL_LINKS_URL links lead to pages of a front end's own.
  if (!mail.isAvailable || config.mailLinksUrl !== undefined) return
  await app.register(linkPageRoutes, {
    prefix,
    logSerializers: forFastify({ ...logSerializers, req: serializeWithoutQuery(app.log) }),
    pages: [
      createRegisterPage({ confirmRegistration: registration.confirmRegistration, sendLogin }),
      createVerifyPage({ verifyEmail: verification.verifyEmail, findKnownDevices, guards }),
      createForgotPage({ askForMail }),
      createResetPage({ resetPassword: recovery.resetPassword, passwordMinLength: config.passwordMinLength }),
      createEmailChangePage({ confirmChange: emailChange.confirmChange, readSession, findKnownDevices }),
      createEmailRevertPage({ revertChange: emailChange.revertChange }),
      createRestorePage({ deletion, limiter })
    ],
    publicUrl: config.publicUrl,
    service: config.serviceName,
    isUnavailable,
    limiter,
    readForwardedClient: oauth.readForwardedClient
  })
}

// Fastify's type knows text only, the logger takes any value.
function forFastify (serializers: object): Record<string, (value: unknown) => string> {
  return serializers as Record<string, (value: unknown) => string>
}
