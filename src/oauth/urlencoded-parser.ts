import type { FastifyInstance } from 'fastify'
import { OAuthError } from './oauth-error.ts'

const FORM = 'application/x-www-form-urlencoded'

/** What OAuth endpoints take: forms, whatever the rest of the API does. */
export const CONSUMES = [FORM]

/**
 * Makes an instance read forms, and nothing else. A parameter without a value counts as left out, and one that comes
 * twice is refused (RFC 6749 §3.2).
 */
export function acceptOnlyUrlencoded (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => {
    const parameters = [...new URLSearchParams(String(body))]
    const names = parameters.map(([name]) => name)
    if (new Set(names).size < names.length) return done(new OAuthError('invalid_request', 'A parameter came twice'))
    done(null, Object.fromEntries(parameters.filter(([, value]) => value !== '')))
  })
}
