import type { FastifyInstance } from 'fastify'
import { parse } from 'secure-json-parse'
import { Problem } from '../errors.ts'
import { decodeUtf8 } from './utf-8.ts'

const MAX_DEPTH = 8

/**
 * Parses JSON bodies strictly, as UTF-8 alone, and refuses every other type (415). An empty body counts as none: many clients send the
 * content type with every request.
 */
export function acceptOnlyJson (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? null : parseStrictly(decodeUtf8(body as Buffer)))
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

// Level by level, not by recursion: a hostile body must not choose the depth of the stack.
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
