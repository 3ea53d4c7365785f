import { Type } from 'typebox'
import { parse, stringify } from 'uuid'
import { invalidField } from '../errors.ts'

/** Which page is asked for: at most `limit` items, after the one whose id is `after`. */
export interface PageRequest {
  limit: number
  after?: string
}

/** One page, and the id that the next begins after. */
export interface Page<Item> {
  items: Item[]
  next: string | undefined
}

const DEFAULT_LIMIT = 50

/** The fields of a query that asks for a page. */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: DEFAULT_LIMIT, examples: [DEFAULT_LIMIT] })),
  cursor: Type.Optional(Type.String({ maxLength: 64, description: '`nextCursor` of the page before', examples: ['AYkKXayWd0u8zrMCCZqAVw'] }))
}

/** @returns what a query asks for. @throws Problem 422 where its cursor was never given out */
export function pageRequest ({ limit = DEFAULT_LIMIT, cursor }: { limit?: number, cursor?: string }): PageRequest {
  return { limit, ...cursor !== undefined && { after: readCursor(cursor) } }
}

/** @returns what asks for the page that begins after this id */
export function nextCursor (next: string | undefined): string | null {
  return next === undefined ? null : writeCursor(next)
}

/** The opaque text that names a place in a list. */
function writeCursor (id: string): string {
  return Buffer.from(parse(id)).toString('base64url')
}

function readCursor (cursor: string): string {
  const id = uuidOf(Buffer.from(cursor, 'base64url'))
  if (id !== undefined && writeCursor(id) === cursor) return id
  throw invalidField('cursor', 'must be a cursor that was given out')
}

function uuidOf (bytes: Uint8Array): string | undefined {
  try {
    return stringify(bytes)
  } catch {
    return undefined
  }
}
