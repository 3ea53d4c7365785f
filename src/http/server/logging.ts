import { createRequire } from 'node:module'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { pino, type DestinationStream } from 'pino'
import type pretty from 'pino-pretty'
import type { Config } from '../../config.ts'

const SECRET = ['authorization', 'cookie', 'set-cookie', 'password', 'newPassword', 'currentPassword', 'accessToken', 'refreshToken', 'idToken', 'token', 'codeVerifier', 'clientSecret', 'secret', 'client_secret', 'access_token', 'passwordHash']

// For terminals alone: a service that writes JSON lines does without it.
function loadPretty (): typeof pretty {
  return createRequire(import.meta.url)('pino-pretty') as typeof pretty
}

/**
 * @param to where JSON lines go, if not to standard output
 * @returns the process's logger: readable on a terminal, JSON lines otherwise, secrets left out of both
 */
export function createLogger ({ logLevel }: Pick<Config, 'logLevel'>, to?: DestinationStream): NonNullable<FastifyServerOptions['loggerInstance']> {
  const options = {
    level: logLevel,
    redact: { paths: SECRET.flatMap(name => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]), censor: '[redacted]' }
  }
  if (to !== undefined) return pino(options, to)
  return process.stdout.isTTY ? pino(options, loadPretty()({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })) : pino(options)
}

/**
 * Tells a client whom something of ours failed the id that the log has the request under. Nobody else: two answers that
 * must not be told apart, such as those to an unknown account and to a wrong password, are the same to the last header.
 */
export function setRequestIds (app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (reply.statusCode >= 500) reply.header('x-request-id', request.id)
    done(null, payload)
  })
}

/**
 * Writes one line a request, after it was answered: what was asked by the route's pattern and not by its URL, for
 * query strings and ids may be secret or personal.
 */
export function logRequests (app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.info({
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip
    }, 'answered')
    done()
  })
}
