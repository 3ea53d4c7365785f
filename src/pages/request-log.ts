import type { FastifyBaseLogger, FastifyRequest } from 'fastify'

type Serialize = (request: FastifyRequest) => unknown

/**
 * For the request log of a host, which logs URLs as a rule: those of these routes are logged without their query, which holds
 * the token of a link.
 *
 * @param log the app's logger, whose own serializer of requests goes on doing what it does
 */
export function serializeWithoutQuery (log: FastifyBaseLogger): Serialize {
  const serializers: unknown = Reflect.get(log, Symbol.for('pino.serializers'))
  const own: unknown = typeof serializers === 'object' && serializers !== null ? Reflect.get(serializers, 'req') : undefined
  const serialize = typeof own === 'function' ? own as Serialize : ({ method, url }: FastifyRequest) => ({ method, url })
  return request => withoutQuery(serialize(request))
}

function withoutQuery (logged: unknown): unknown {
  if (typeof logged === 'string') return logged.split('?')[0]
  if (typeof logged !== 'object' || logged === null) return logged
  return Object.fromEntries(Object.entries(logged).map(([name, value]) => [name, /url|path/i.test(name) ? withoutQuery(value) : name === 'query' ? undefined : value]))
}
