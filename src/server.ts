import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
import { createRequestSlot } from 'countersign-verifier/internal'
import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify'
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
import { addOpenApi } from './http/openapi/openapi-document.ts'
import { handleClientError, handleProblems, handleUnknownRoutes, handleUnroutable } from './http/problem-response.ts'
import { addSchemas, nameSchemas } from './http/schemas.ts'
import { closeIdleConnectionsOnShutdown } from './http/server/graceful-shutdown.ts'
import { version } from './version.ts'

const START_TIMEOUT = 120_000
const LATE_REQUEST_CHECK_INTERVAL = 1_000

/** What tests replace. */
export interface ServerDeps {
  logger?: NonNullable<FastifyServerOptions['loggerInstance']>
  open?: typeof openDatabase
}

/**
 * Makes the stand-alone service: the routes of the plugin, and what a host app would add to them.
 *
 * @throws DatabaseStartError
 */
export async function createServer (config: Config, { logger = createLogger(config), open = openDatabase }: ServerDeps = {}): Promise<FastifyInstance> {
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
    // Joined, two Authorization headers are no credential. Node would take the first, and something in front perhaps the last.
    http: { joinDuplicateHeaders: true, maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: LATE_REQUEST_CHECK_INTERVAL }
  })

  try {
    await registerPlugins(app, config, open)
    return app
  } catch (error) {
    await app.close().catch(() => {})
    throw error
  }
}

async function registerPlugins (app: FastifyInstance, config: Config, open: typeof openDatabase): Promise<void> {
  handleProblems(app, { isUnavailable: isDatabaseUnavailable })
  handleUnknownRoutes(app)
  setRequestIds(app)
  logRequests(app)
  closeIdleConnectionsOnShutdown(app)
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: config.publicUrl.startsWith('https:')
  })
  await addCors(app, config.allowedOrigins)
  await addOpenApi(app, { version, publicUrl: config.publicUrl, cookieNames: createCookies(config).names })

  addSchemas(app, nameSchemas())
  const { probes, metrics } = await compose(app, config, createRequestSlot('user'), { open })
  await app.register(healthRoutes, { probes })
  app.addHook('onListen', async () => metrics.collectProcess())
  addMetricsRoute(app, metrics)
}

/**
 * Runs the service until it receives SIGTERM or SIGINT: then it accepts no new connection, finishes the requests it has
 * begun, and closes its database.
 *
 * @returns the server, listening unless it was stopped already
 */
export async function serve (config: Config): Promise<FastifyInstance> {
  const app = await createServer(config)
  let isStopping = false
  // Before it listens: whoever sees it listening may stop it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      isStopping = true
      app.log.info({ signal }, 'shutting down')
      app.close().catch((error: unknown) => {
        app.log.error({ err: error }, 'shutdown failed')
        process.exitCode = 1
      })
    })
  }
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await app.close()
    if (!isStopping) throw error
  }
  return app
}

function trustedProxies (trust: Config['trustProxy']) {
  return typeof trust === 'number' ? (_address: string, hop: number) => hop < trust : trust
}
