import { Type } from 'typebox'
import { parse, stringify } from 'uuid'
import { invalidField } from '../errors.ts'

/** One page of a list: at most `limit` items, after the one whose id is `after`. */
export interface PageRequest {
  limit: number
  after?: string
}

/** The items of a page, and the id that the next page starts after. */
export interface Page<Item> {
  items: Item[]
  next: string | undefined
}

const DEFAULT_LIMIT = 50

/** The query parameters of a paginated list. */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: DEFAULT_LIMIT, examples: [DEFAULT_LIMIT] })),
  cursor: Type.Optional(Type.String({ maxLength: 64, description: 'The `nextCursor` of the previous page', examples: ['AYkKXayWd0u8zrMCCZqAVw'] }))
}

/** @returns the page that a query asks for. @throws Problem 422 for a cursor that the service did not issue */
export function pageRequest ({ limit = DEFAULT_LIMIT, cursor }: { limit?: number, cursor?: string }): PageRequest {
  return { limit, ...cursor !== undefined && { after: readCursor(cursor) } }
}

/** @returns the cursor of the next page, `null` on the last */
export function nextCursor (next: string | undefined): string | null {
  return next === undefined ? null : writeCursor(next)
}

/** An opaque cursor. */
function writeCursor (id: string): string {
  return Buffer.from(parse(id)).toString('base64url')
}

function readCursor (cursor: string): string {
  const id = uuidOf(Buffer.from(cursor, 'base64url'))
  if (id !== undefined && writeCursor(id) === cursor) return id
  throw invalidField('cursor', 'must be the nextCursor of an earlier page')
}

function uuidOf (bytes: Uint8Array): string | undefined {
  try {
    return stringify(bytes)
  } catch {
    return undefined
  }
}
