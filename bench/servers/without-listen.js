// Loaded before the service, this swallows LISTEN as a transaction pooler does: only the regular reads remain.
import { createRequire } from 'node:module'

const pg = createRequire(new URL('../../dist/index.js', import.meta.url))('pg')
const { query } = pg.Client.prototype

pg.Client.prototype.query = function (text, ...rest) {
  return query.call(this, typeof text === 'string' && text.startsWith('LISTEN ') ? 'SELECT 1' : text, ...rest)
}
