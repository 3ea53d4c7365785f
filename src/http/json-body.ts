import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'

const MAX_DEPTH = 8

/** Makes an instance read JSON bodies, strictly, and no others: a body of another type is 415. */
export function readOnlyJson (app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    parse(request, String(body), (error, value) => {
      if (error) return done(new Problem('malformed_json', { cause: error }))
      if (depth(value) > MAX_DEPTH) return done(new Problem('malformed_json', { detail: `Nested deeper than ${MAX_DEPTH} levels` }))
      done(null, value)
    })
  })
}

// Level by level rather than by recursion: a hostile body must not choose how deep our stack goes.
function depth (value: unknown): number {
  let levels = 0
  let level = [value].filter(isNested)
  while (level.length > 0 && levels <= MAX_DEPTH) {
    levels++
    level = level.flatMap(nested => Object.values(nested)).filter(isNested)
  }
  return levels
}

function isNested (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
