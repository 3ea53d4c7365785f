import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'

/** Makes an instance accept forms only. A repeated field is refused. */
export function acceptOnlyForms (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    const fields = [...new URLSearchParams(String(body))]
    if (new Map(fields).size < fields.length) return done(new Problem('malformed_request'))
    done(null, new Map(fields))
  })
}

/** The fields of a form, as `acceptOnlyForms` parses it. */
export function formFields (body: unknown): ReadonlyMap<string, string> {
  return body instanceof Map ? body as ReadonlyMap<string, string> : new Map<string, string>()
}
