import type { FastifyInstance } from 'fastify'
import type { InvalidToken, Principal } from 'countersign-verifier'
import type { RequestSlot } from 'countersign-verifier/internal'
import { composeAccounts } from './accounts/compose.ts'
import { createAdminStore } from './admin/store.ts'
import { createAuditListStore } from './audit/list-store.ts'
import { createAuditPurge } from './audit/purge-store.ts'
import { createAuditStore } from './audit/store.ts'
import type { Config } from './config.ts'
import { databaseConfig } from './database/database-config.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open-database.ts'
import { startPurgeJob } from './database/purge-job.ts'
import { createCloseStack, type CloseStack } from './http/close-stack.ts'
import { createCookies, type Cookies } from './http/cookies.ts'
import { createCsrfProtection } from './http/csrf.ts'
import { createGuards, createPrincipalReader, type Guards } from './http/guards.ts'
import type { Probe } from './http/server/health.ts'
import { createMetrics, type Metrics } from './http/server/metrics.ts'
import { composeOAuth } from './oauth/compose.ts'
import { createRevocationFeed } from './oauth/revocation-feed/feed.ts'
import { createOneTimeTokenStore } from './one-time-tokens/store.ts'
import { composePasswords } from './passwords/compose.ts'
import { addHashQueueMetrics } from './passwords/metrics.ts'
import { composeProviders } from './providers/compose.ts'
import { composeRevocation } from './revocation/compose.ts'
import { addRoutes } from './routes.ts'
import { composeSessions } from './sessions/compose.ts'
import { composeTokens } from './tokens/compose.ts'

/** What the server and the plugin use of the service. */
export interface Service {
  guards: Guards
  cookies: Cookies
  metrics: Metrics
  probes: Readonly<Record<string, Probe>>
}

export interface ComposeOptions {
  open?: typeof openDatabase
  /** Comes before the paths of the routes. */
  prefix?: string
  /** Hides the routes from the app's OpenAPI document. */
  hidden?: boolean
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

async function composeService (app: FastifyInstance, config: Config, users: RequestSlot<Principal>, closing: CloseStack, { open = openDatabase, prefix = '', hidden = false }: ComposeOptions): Promise<Service> {
  const { log } = app
  const principal = createPrincipalReader(users)
  const database = await open({ ...databaseConfig(config), log })
  closing.add(database.close)
  const metrics = createMetrics()
  const audit = createAuditStore(database)
  const oneTimeTokens = createOneTimeTokenStore(database)
  const cookies = createCookies(config)
  const csrf = createCsrfProtection(cookies, config.allowedOrigins)
  const onRefused = ({ reason }: InvalidToken) => metrics.tokenRefused(reason)

  const passwords = composePasswords(config)
  addHashQueueMetrics(metrics, passwords.queue)
  const revocation = await composeRevocation({ database, metrics, maxStaleness: config.maxStaleness, log })
  closing.add(revocation.close)
  const tokens = await composeTokens({ app, config, database, revocation })

  const sessions = await composeSessions({ config, database, revocation, tokens, passwords, audit, cookies, principal, log })
  closing.add(sessions.close)
  const accounts = composeAccounts({ database, sessions, passwords, ledgerSync: revocation, audit, mintFor: tokens.mintFor })
  const providers = composeProviders({ config, prefix, database, tokens, oneTimeTokens, openSession: sessions.openSession, sendLogin: sessions.sendLogin, ledgerSync: revocation, audit, presence: sessions.presence, log })
  const oauth = composeOAuth({ database, tokens, revocation, sessions, audit, onRefused })
  const feed = createRevocationFeed({ database, revocation, metrics })
  const admin = { users: createAdminStore(database), auditList: createAuditListStore(database) }
  closing.add(startPurgeJob([sessions.purge, oneTimeTokens.purge, revocation.purge, createAuditPurge(database, config.auditRetention)], log))

  const guards = createGuards({
    verify: tokens.verifier.verify,
    authenticateSession: sessions.authenticateSession,
    cookies,
    csrf,
    users,
    onRefused,
    isUnavailable: isDatabaseUnavailable
  })
  await addRoutes(app, { config, prefix, hidden, guards, principal, cookies, csrf, revocation, tokens, sessions, accounts, providers, oneTimeTokens, audit, oauth, feed, admin })

  return { guards, cookies, metrics, probes: { database: database.ping, revocations: async () => revocation.assertFresh(), ...sessions.probes } }
}
