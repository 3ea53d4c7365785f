import type { FastifyInstance } from 'fastify'
import { OAuthError } from './oauth-error.ts'

const FORM = 'application/x-www-form-urlencoded'

/** OAuth endpoints take forms, unlike the rest of the API. */
export const CONSUMES = [FORM]

/**
 * Makes an instance accept forms only. A parameter without a value counts as omitted, and a repeated one is refused
 * (RFC 6749 §3.2).
 */
export function acceptOnlyUrlencoded (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => {
    const parameters = [...new URLSearchParams(String(body))]
    const names = parameters.map(([name]) => name)
    if (new Set(names).size < names.length) return done(new OAuthError('invalid_request', 'A parameter is repeated'))
    done(null, Object.fromEntries(parameters.filter(([, value]) => value !== '')))
  })
}
