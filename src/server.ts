import { randomUUID } from 'node:crypto'
import helmet from '@fastify/helmet'
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
import { createRequestPrincipal } from './request-principal.ts'
import { version } from './version.ts'

const START_TIMEOUT = 120_000
const LOOK_FOR_LATE_REQUESTS_EVERY = 1_000

/** What the service has of the outside world, as far as a test must hold it. */
export interface Surroundings {
  logger?: NonNullable<FastifyServerOptions['loggerInstance']>
  open?: typeof openDatabase
}

/**
 * Makes the stand-alone service: the plugin's routes, and what a host would otherwise bring.
 *
 * @throws DatabaseStartError
 */
export async function createServer (config: Config, { logger = createLogger(config), open = openDatabase }: Surroundings = {}): Promise<FastifyInstance> {
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
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: LOOK_FOR_LATE_REQUESTS_EVERY }
  })

  try {
    await furnish(app, config, open)
    return app
  } catch (error) {
    await app.close().catch(() => {})
    throw error
  }
}

async function furnish (app: FastifyInstance, config: Config, open: typeof openDatabase): Promise<void> {
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
  const { probes, metrics } = await compose(app, config, createRequestPrincipal('user'), { open }).catch(async (error: unknown) => {
    // What it had opened by then would keep the process from ending.
    await app.close()
    throw error
  })
  await app.register(healthRoutes, { probes })
  app.addHook('onListen', async () => metrics.collectProcess())
  addMetricsRoute(app, metrics)
}

/**
 * Runs the service until it is told to stop (SIGTERM, SIGINT): then it takes no new connection, finishes what it has
 * begun, and lets go of its database.
 *
 * @returns the server, listening
 */
export async function serve (config: Config): Promise<FastifyInstance> {
  const app = await createServer(config)
  try {
    await app.listen({ host: config.host, port: config.port })
  } catch (error) {
    await app.close()
    throw error
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      app.log.info({ signal }, 'stopping')
      app.close().catch((error: unknown) => {
        app.log.error({ err: error }, 'could not stop in order')
        process.exitCode = 1
      })
    })
  }
  return app
}

function trustedProxies (trust: Config['trustProxy']) {
  return typeof trust === 'number' ? (_address: string, hop: number) => hop < trust : trust
}
