import type { FastifyInstance } from 'fastify'
import type { InvalidToken, Principal } from 'countersign-verifier'
import type { RequestSlot } from 'countersign-verifier/internal'
import { composeAccounts } from './accounts/compose.ts'
import { createPrepareInvitation } from './admin/prepare-invitation.ts'
import { createAdminStore } from './admin/store.ts'
import { createAuditListStore } from './audit/list-store.ts'
import { createAuditPurge } from './audit/purge-store.ts'
import { createAuditStore } from './audit/store.ts'
import { composeCodeLogin } from './code-login/compose.ts'
import type { Config } from './config.ts'
import { databaseConfig } from './database/database-config.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open-database.ts'
import { openRedis } from './database/open-redis.ts'
import { watchOutages } from './database/outages.ts'
import { startPurgeJob } from './database/purge-job.ts'
import { composeEmailChange } from './email-change/compose.ts'
import { createCloseStack, type CloseStack } from './http/close-stack.ts'
import { createCookies, type Cookies } from './http/cookies.ts'
import { createCsrfProtection } from './http/csrf.ts'
import { createGuards, createPrincipalReader, type Guards } from './http/guards.ts'
import { logSerializers } from './http/serialize-error.ts'
import { addDependencyMetrics } from './http/server/dependency-metrics.ts'
import type { Probe } from './http/server/health.ts'
import { createMetrics, type Metrics } from './http/server/metrics.ts'
import { composeLimits } from './limits/compose.ts'
import { composeMail } from './mail/compose.ts'
import { composeOAuth } from './oauth/compose.ts'
import { createRevocationFeed } from './oauth/revocation-feed/feed.ts'
import { createAskForMail } from './mail-requests/ask-for-mail.ts'
import { createMailRequestChannel } from './mail-requests/channel.ts'
import { createMailedSecretStore } from './one-time-tokens/mailed-secret-store.ts'
import { createOneTimeTokenStore } from './one-time-tokens/store.ts'
import { composeOutbox } from './outbox/compose.ts'
import { composePasswords } from './passwords/compose.ts'
import { addBreachedPasswordMetrics, addHashQueueMetrics } from './passwords/metrics.ts'
import { composeProviders } from './providers/compose.ts'
import { composeRecovery } from './recovery/compose.ts'
import { composeRegistration } from './registration/compose.ts'
import { composeRevocation } from './revocation/compose.ts'
import { normalisePrefix } from './plugin-options.ts'
import { addRoutes } from './routes.ts'
import { composeSessions } from './sessions/compose.ts'
import { composeTokens } from './tokens/compose.ts'
import { createEncryption } from './tokens/encryption.ts'
import { composeVerification } from './verification/compose.ts'

/** What the server and the plugin use of the service. */
export interface Service {
  guards: Guards
  cookies: Cookies
  metrics: Metrics
  /** Of what the service depends on, by name. */
  probes: Readonly<Record<string, Probe>>
  /** Whether the ledger of revocations was read recently enough to verify tokens by it. */
  isFresh: () => boolean
}

export interface ComposeOptions {
  open?: typeof openDatabase
  /** Comes before the paths of the routes, after the prefix of `app`: empty, or with a slash at its beginning and none at its end. */
  prefix?: string
  /** Whether the app is somebody else's: its OpenAPI document does without the routes, and its log needs our serializers. */
  isHosted?: boolean
}

/**
 * Makes every part once, hands it to the parts that need it, and adds the routes to `app`, in a child of their own. What it
 * has opened is closed with `app`, or at once where it fails.
 *
 * @throws DatabaseStartError
 */
export async function compose (app: FastifyInstance, config: Config, users: RequestSlot<Principal>, options: ComposeOptions = {}): Promise<Service> {
  const closing = createCloseStack(app)
  try {
    return await composeService(app, config, users, closing, options)
  } catch (error) {
    await closing.closeAll()
    throw error
  }
}

async function composeService (app: FastifyInstance, config: Config, users: RequestSlot<Principal>, closing: CloseStack, { open = openDatabase, prefix = '', isHosted = false }: ComposeOptions): Promise<Service> {
  const log = app.log.child({}, { serializers: logSerializers })
  const principal = createPrincipalReader(users)
  const baseUrl = config.publicUrl + normalisePrefix(app.prefix) + prefix
  const { database, lastOutage } = watchOutages(await open({ ...databaseConfig(config), log }))
  closing.add(database.close)
  const redis = config.redisUrl === undefined ? undefined : await openRedis(config.redisUrl, log)
  if (redis !== undefined) closing.add(redis.close)
  const metrics = createMetrics()
  const audit = createAuditStore(database, log)
  closing.add(audit.close)
  const oneTimeTokens = createOneTimeTokenStore(database)
  const cookies = createCookies(config)
  const csrf = createCsrfProtection(cookies, config.allowedOrigins)
  const onRefused = ({ reason }: InvalidToken) => metrics.tokenRefused(reason)

  const passwords = composePasswords(config, log)
  addHashQueueMetrics(metrics, passwords.queue)
  addBreachedPasswordMetrics(metrics, passwords.breachedUnavailable)
  const revocation = await composeRevocation({ database, metrics, maxStaleness: config.maxStaleness, log })
  closing.add(revocation.close)
  const tokens = await composeTokens({ app, config, database, revocation })

  const outbox = composeOutbox({ database, encryption: createEncryption(tokens.ring('outbox')), metrics, log })
  const mail = composeMail({ config, baseUrl, database, log })
  closing.add(mail.close)
  const limits = composeLimits({ limits: config.rateLimits, database, redis, key: tokens.ring('limits')[0].bytes, canReset: mail.isAvailable, log })
  const secrets = createMailedSecretStore(database, tokens.ring('mail-code').map(({ bytes }) => bytes))

  const sessions = composeSessions({ config, database, lastOutage, redis, limits, revocation, tokens, passwords, mail, outbox, audit, cookies, principal, onRefused, log })
  const askForMail = createAskForMail({ limiter: limits.limiter, outbox })
  const verification = composeVerification({ database, limiter: limits.limiter, secrets, mail, outbox, provePassword: sessions.provePassword, audit })
  const accounts = composeAccounts({ config, database, limits, sessions, passwords, mail, outbox, ledgerSync: revocation, audit, mintFor: tokens.mintFor, prepareMail: verification.prepareMail })
  const registration = composeRegistration({ database, limiter: limits.limiter, secrets, passwords, mail, askForMail, issuer: sessions.issuer, mintFor: tokens.mintFor, audit })
  const codeLogin = composeCodeLogin({ database, limiter: limits.limiter, secrets, sessions, mintFor: tokens.mintFor, ledgerSync: revocation, audit })
  const recovery = composeRecovery({ database, limits, secrets, passwords, mail, outbox, ledgerSync: revocation, audit })
  const emailChange = composeEmailChange({ database, limits, sessions, secrets, askForMail, prepareReset: recovery.prepareReset, mail, outbox, ledgerSync: revocation, audit })
  const providers = composeProviders({ config, baseUrl, database, tokens, oneTimeTokens, mail, outbox, openSession: sessions.openSession, findKnownDevices: sessions.findKnownDevices, ledgerSync: revocation, audit, presence: sessions.presence, isUnavailable: isDatabaseUnavailable, log })
  const oauth = composeOAuth({ database, limiter: limits.limiter, tokens, revocation, sessions, audit, onRefused })
  const feed = createRevocationFeed({ database, revocation, metrics })
  const admin = { users: createAdminStore(database), prepareInvitation: createPrepareInvitation({ mail, outbox }), wakeOutbox: outbox.wake, auditList: createAuditListStore(database, audit) }
  closing.add(startPurgeJob([sessions.purge, accounts.deletion.purge, ...limits.purges, oneTimeTokens.purge, emailChange.purge, revocation.purge, ...outbox.purges, createAuditPurge(database, config.auditRetention)], log))
  const flows = [...verification.flows, ...registration.flows, ...codeLogin.flows, ...recovery.flows, ...emailChange.flows]
  const mailRequests = mail.send === undefined ? [] : [createMailRequestChannel({ flows, secrets, send: mail.send, pausedFor: mail.pausedFor })]
  closing.add(outbox.start([...mail.channels, ...mailRequests]))

  const guards = createGuards({
    verify: tokens.verifier.verify,
    authenticateSession: sessions.authenticateSession,
    cookies,
    csrf,
    users,
    onRefused,
    isUnavailable: isDatabaseUnavailable
  })
  await addRoutes(app, { config, baseUrl, prefix, isHosted, guards, principal, cookies, csrf, limiter: limits.limiter, metrics, revocation, tokens, sessions, accounts, registration, verification, codeLogin, recovery, emailChange, providers, oneTimeTokens, audit, oauth, feed, admin, mail, askForMail })

  const probes = { database: database.ping, ...redis && { redis: redis.ping } }
  addDependencyMetrics(metrics, probes)
  return { guards, cookies, metrics, probes, isFresh: revocation.isFresh }
}
