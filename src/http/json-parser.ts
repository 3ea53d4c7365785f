import type { FastifyInstance } from 'fastify'
import { parse } from 'secure-json-parse'
import { Problem } from '../errors.ts'

const MAX_DEPTH = 8

/**
 * Makes an instance read JSON bodies, strictly, and no others: a body of another type is 415. An empty one is no body:
 * many clients name the type whether they send anything or not.
 */
export function acceptOnlyJson (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? null : parseStrictly(String(body)))
    } catch (error) {
      done(error instanceof Problem ? error : new Problem('malformed_json', { cause: error }))
    }
  })
}

function parseStrictly (body: string): unknown {
  const value: unknown = parse(body)
  if (depth(value) > MAX_DEPTH) throw new Problem('malformed_json', { detail: `Nested deeper than ${MAX_DEPTH} levels` })
  return value
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
