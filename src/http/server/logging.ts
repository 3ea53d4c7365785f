import { createRequire } from 'node:module'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { pino, type Bindings, type ChildLoggerOptions, type DestinationStream, type LogFn, type Logger } from 'pino'
import type pretty from 'pino-pretty'
import type { Config } from '../../config.ts'
import { clientAddress } from '../client-address.ts'
import { logSerializers } from '../serialize-error.ts'
import { withoutSecrets, withoutSecretsIn } from './redaction.ts'

// Loaded for terminals only: JSON lines do not need it.
function loadPretty (): typeof pretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof pretty
}

/**
 * @param to where JSON lines are written, standard output by default
 * @returns the logger of the process: readable text on a terminal, JSON lines elsewhere, secrets redacted in both
 */
export function createLogger ({ logLevel }: Pick<Config, 'logLevel'>, to?: DestinationStream): NonNullable<FastifyServerOptions['loggerInstance']> {
  const options = { level: logLevel, serializers: logSerializers, hooks: { logMethod } }
  if (to !== undefined) return withCleanBindings(pino(options, to))
  return withCleanBindings(process.stdout.isTTY ? pino(options, loadPretty()({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })) : pino(options))
}

function logMethod (this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  Reflect.apply(method, this, withoutSecretsIn(args))
}

// pino's `formatters.bindings` is for the first logger alone. Its children inherit this method.
function withCleanBindings (logger: Logger): Logger {
  const { child } = logger
  return Object.assign(logger, {
    child (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) {
      return Reflect.apply(child, this, [withoutSecrets(bindings), options]) as Logger
    }
  })
}

/**
 * Sends the request id, which the log has too, with every 5xx. Not with other responses: those that must not be
 * distinguishable, such as for an unknown account and for a wrong password, are equal in every header.
 */
export function setRequestIds (app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode >= 500) reply.header('x-request-id', request.id)
    done(null, payload)
  })
}

/** Logs one line for each completed request. The route's pattern stands for the URL, whose query and ids may be secret or personal. */
export function logRequests (app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.info({
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: clientAddress(request)
    }, 'request completed')
    done()
  })
}
