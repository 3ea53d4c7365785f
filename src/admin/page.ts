import { Problem } from '../errors.ts'

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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @returns the opaque text that names a place in a list */
export function writeCursor (id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

/** @throws Problem 422 */
export function readCursor (cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  if (UUID.test(id) && writeCursor(id) === cursor) return id
  throw new Problem('validation_failed', { errors: [{ field: 'cursor', pointer: '#/cursor', detail: 'must be a cursor that was given out' }] })
}
