import pg from 'pg'
import type { Listener, Subscription } from '../database.ts'
import type { ConnectionSettings } from './connection-settings.ts'

/** How often a listening connection is checked, in ms. */
const CHECK_EVERY_MS = 5_000

/**
 * Listens on a connection of its own. A broken connection emits an error; a silent one (a dropped route, a frozen proxy)
 * does not, so it is checked regularly.
 */
export async function listenPostgres ({ config }: ConnectionSettings, channel: string, listener: Listener): Promise<Subscription> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 2_000, query_timeout: 2_000 })
  let over = false
  const check = setInterval(() => { client.query('SELECT 1').catch(lost) }, CHECK_EVERY_MS).unref()

  function lost (cause: Error) {
    if (over) return
    over = true
    clearInterval(check)
    client.end().catch(() => {})
    listener.onLost(cause)
  }

  async function close () {
    if (over) return
    over = true
    clearInterval(check)
    // pg waits for the server to close the connection unless a query is running, and a silent one never does.
    client.query('SELECT 1').catch(() => {})
    await client.end()
  }

  client.on('notification', ({ payload }) => { if (!over) listener.onNotify(payload ?? '') })
  try {
    client.on('error', () => {})
    await client.connect()
    await client.query(`LISTEN ${channel}`)
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  client.on('error', lost)
  client.on('end', () => lost(new Error('The listening connection ended.')))
  return { close }
}
