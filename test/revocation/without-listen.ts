// Loaded before anything else, this swallows LISTEN as a transaction pooler does: only the regular reads remain.
import pg from 'pg'

const { query } = pg.Client.prototype

pg.Client.prototype.query = function (this: pg.Client, text: unknown, ...rest: unknown[]): unknown {
  const sent = typeof text === 'string' && text.startsWith('LISTEN ') ? 'SELECT 1' : text
  return Reflect.apply(query, this, [sent, ...rest])
} as typeof query
