import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import { decodeUtf8 } from '../http/utf-8.ts'

/** Makes an instance accept forms only. A repeated field is refused. */
export function acceptOnlyForms (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      const text = decodeUtf8(body as Buffer)
      // URLSearchParams replaces escapes that are no UTF-8.
      decodeURIComponent(text)
      const fields = [...new URLSearchParams(text)]
      done(new Map(fields).size < fields.length ? new Problem('malformed_request') : null, new Map(fields))
    } catch (error) {
      done(new Problem('malformed_request', { cause: error }))
    }
  })
}

/** The fields of a form, as `acceptOnlyForms` parses it. */
export function formFields (body: unknown): ReadonlyMap<string, string> {
  return body instanceof Map ? body as ReadonlyMap<string, string> : new Map<string, string>()
}
