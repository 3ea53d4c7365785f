import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { createRequestSlot } from 'countersign-verifier/internal'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { compose } from './app.ts'
import type { Config } from './config.ts'
import { isDatabaseUnavailable } from './database/errors.ts'
import { openDatabase } from './database/open-database.ts'
import { createCookies } from './http/cookies.ts'
import { addCors } from './http/server/cors.ts'
import { healthRoutes } from './http/server/health.ts'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES, REQUEST_TIMEOUT } from './http/limits.ts'
import { createLogger, logRequests, setRequestIds } from './http/server/logging.ts'
import { addMetricsRoute } from './http/server/metrics.ts'
import { addSecurityHeaders } from './http/server/security-headers.ts'
import { addOpenApi } from './http/openapi/openapi-document.ts'
import { handleClientError, handleProblems, handleUnknownRoutes, handleUnroutable } from './http/problem-response.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { closeConnectionsWhileStopping, closeIdleConnectionsOnShutdown } from './http/server/graceful-shutdown.ts'
import { routableUrl } from './http/server/verify-url.ts'
import { version } from './version.ts'

const START_TIMEOUT = 120_000
const LATE_REQUEST_CHECK_INTERVAL = 1_000
// Long enough for clients that are at work to be answered with `Connection: close`, and leave.
const SHORTEST_DRAIN = 200

/** What tests replace. */
export interface ServerDeps {
  logger?: NonNullable<FastifyServerOptions['loggerInstance']>
  open?: typeof openDatabase
  /** To be aborted when the service begins to stop, some time before it is closed. */
  stopping?: AbortSignal
}

/**
 * Makes the stand-alone service: the routes of the plugin, and what a host app would add to them.
 *
 * @throws DatabaseStartError
 */
export async function createServer (config: Config, { logger = createLogger(config), open = openDatabase, stopping = new AbortController().signal }: ServerDeps = {}): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: trustedProxies(config.trustProxy),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT,
    pluginTimeout: START_TIMEOUT,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: handleClientError,
    frameworkErrors: handleUnroutable,
    rewriteUrl: routableUrl,
    // Joined, two Authorization headers are no credential. Node would take the first, and something in front perhaps the last.
    http: { joinDuplicateHeaders: true, maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: LATE_REQUEST_CHECK_INTERVAL }
  })

  try {
    await registerPlugins(app, config, open, stopping)
    return app
  } catch (error) {
    await app.close().catch(() => {})
    throw error
  }
}

async function registerPlugins (app: FastifyInstance, config: Config, open: typeof openDatabase, stopping: AbortSignal): Promise<void> {
  handleProblems(app, { isUnavailable: isDatabaseUnavailable })
  handleUnknownRoutes(app)
  setRequestIds(app)
  logRequests(app)
  closeConnectionsWhileStopping(app, stopping)
  closeIdleConnectionsOnShutdown(app)
  if (config.trustProxy === true) app.log.warn({}, 'TRUST_PROXY=true: whoever reaches the service can claim any address; name the proxies or their number instead')
  addSecurityHeaders(app, config.publicUrl)
  await addCors(app, config.allowedOrigins)
  if (config.apiDocs === 'open') await addOpenApi(app, { version, publicUrl: config.publicUrl, cookieNames: createCookies(config).names })

  addSchemas(app, nameSchemas())
  const { probes, isFresh, metrics } = await compose(app, config, createRequestSlot('user'), { open })
  await app.register(healthRoutes, { probes, isFresh, stopping })
  app.addHook('onListen', async () => metrics.collectProcess())
  addMetricsRoute(app, metrics, config.metrics)
  if (config.nodeEnv === 'production') app.addHook('onListen', async () => sayWhatIsOpen(app.log, config))
}

/**
 * Runs the service until it receives SIGTERM or SIGINT: then it is no longer ready and serves on for `SHUTDOWN_DELAY`, each
 * connection for one more request; after that it accepts no new connection, finishes the requests it has begun, and closes
 * its database. A second signal ends it at once.
 *
 * @returns the server, listening unless it was stopped already
 */
export async function serve (config: Config): Promise<FastifyInstance> {
  const stopping = new AbortController()
  const app = await createServer(config, { stopping: stopping.signal })

  async function stop (signal: string): Promise<void> {
    stopping.abort()
    app.log.info({ signal, delay: config.shutdownDelay }, 'shutting down')
    if (app.server.listening) await pause(Math.max(SHORTEST_DRAIN, config.shutdownDelay * 1000))
    // Right after a look at the socket: the system resets connections that wait there to be accepted when it is closed.
    await nextTurn()
    await app.close()
  }

  // Before it listens: whoever sees it listening may stop it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop(signal).catch((error: unknown) => {
        app.log.error({ err: error }, 'shutdown failed')
        process.exitCode = 1
      })
    })
  }
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await app.close()
    if (!stopping.signal.aborted) throw error
  }
  return app
}

// Nothing of it is secret, but a stranger learns how busy the service is, and its version.
function sayWhatIsOpen (log: FastifyBaseLogger, { metrics, apiDocs }: Config): void {
  const open = [...metrics === 'open' ? ['/metrics'] : [], ...apiDocs === 'open' ? ['/docs', '/openapi.json'] : []]
  if (open.length > 0) log.warn({ open }, 'open to everybody who can connect: close with METRICS and API_DOCS, or keep them from being routed')
}

function trustedProxies (trust: Config['trustProxy']) {
  return typeof trust === 'number' ? (_address: string, hop: number) => hop < trust : trust
}
