import type pg from 'pg'
import { onServer } from '../postgres.ts'

/** Which row of a table, and in the drill's SQL its number. */
export const idOf = (kind: keyof typeof KINDS, n: number): string => `0190000${KINDS[kind]}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

const KINDS = { user: 'a', session: 'b', event: 'c', identity: 'd', message: 'e' } as const
const idSql = (kind: keyof typeof KINDS, n = 'n') => `('0190000${KINDS[kind]}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
const hashSql = (kind: string) => `sha256(('${kind}' || n)::bytea)`

export interface Rows {
  from: number
  to: number
  /** How long ago they were written, as an interval: their times are that much earlier. */
  age?: string
}

/**
 * What the service has after a busy year, one row for each number `n`: none has expired, and nothing is due but the messages of
 * the outbox, of which every other one is dead. Times are by `clock`.
 */
const TABLES: Readonly<Record<string, string>> = {
  users: `
    INSERT INTO users (id, email, email_verified, name, role, password_hash, created_at, updated_at)
    SELECT ${idSql('user')}, 'user' || n || '@example.com', n % 10 > 0, 'Ada Lovelace', CASE n WHEN 1 THEN 'admin' ELSE 'user' END::role, '$argon2id$' || repeat('x', 80), clock, clock`,
  sessions: `
    INSERT INTO sessions (id, user_id, channel, nonce, secret_hash, former_credential, key_id, ip, network, user_agent, created_at, authenticated_at, last_seen_at, idle_ends_at, ends_at, ended_at, ended_reason)
    SELECT ${idSql('session')}, ${idSql('user')}, CASE n % 4 WHEN 0 THEN 'session' ELSE 'body' END::channel, int8send(n), CASE n % 4 WHEN 0 THEN ${hashSql('secret')} END, CASE n % 10 WHEN 0 THEN ${hashSql('former')} END,
      'key1', '192.0.2.1', 'network' || n, 'Mozilla/5.0', clock, clock, clock, clock + interval '7 days', clock + interval '90 days',
      CASE n % 10 WHEN 3 THEN clock - interval '10 minutes' END, CASE n % 10 WHEN 3 THEN 'logout' END`,
  audit_events: `
    INSERT INTO audit_events (id, at, action, outcome, actor_id, subject_id, ip, user_agent, coalesce_key)
    SELECT ${idSql('event')}, clock - make_interval(secs => 1000000 - n), CASE WHEN n < 200 THEN 'unlock' WHEN n % 10 = 0 THEN 'refresh' ELSE 'login' END, 'success', ${idSql('user')}, ${idSql('user')}, '192.0.2.1', 'Mozilla/5.0', CASE n % 10 WHEN 0 THEN 'key' || n END`,
  // Written by transactions of long ago: on a new cluster the ids of transactions are small yet.
  revocations: `
    INSERT INTO revocations (kind, subject, user_id, client_id, expires_at, xid)
    SELECT 'session', ${idSql('session')}::text, CASE WHEN n % 1000 > 0 THEN ${idSql('user')} END, CASE n % 1000 WHEN 0 THEN 'client' || n END, clock + interval '1 hour', n - 2000000`,
  identities: `
    INSERT INTO identities (id, user_id, provider, issuer, subject, email, email_verified, access_token, refresh_token, created_at)
    SELECT ${idSql('identity')}, ${idSql('user')}, 'acme', 'https://acme.example', 'subject' || n, 'user' || n || '@example.com', true, 'key1.' || repeat('x', 80), 'key1.' || repeat('x', 80), clock`,
  one_time_tokens: `
    INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at, created_at, request_hash)
    SELECT ${hashSql('token')}, 'password_reset', ${idSql('user')}, jsonb_build_object('email', 'user' || n || '@example.com'), clock + interval '1 hour', clock, CASE n % 4 WHEN 0 THEN ${hashSql('request')} END`,
  outbox: `
    INSERT INTO outbox (id, kind, lane, user_id, payload, due_at, expires_at, created_at, dead_at, last_error)
    SELECT ${idSql('message')}, 'mail', CASE n % 10 WHEN 1 THEN 'lane' || n END, ${idSql('user')}, 'key1.' || repeat('x', 200), clock - interval '1 second', clock + interval '1 day', clock,
      CASE n % 2 WHEN 0 THEN clock - interval '1 day' END, CASE n % 2 WHEN 0 THEN 'refused' END`,
  email_holds: `
    INSERT INTO email_holds (email, user_id, until)
    SELECT 'former' || n || '@example.com', ${idSql('user')}, clock + interval '7 days'`,
  attempts: `
    INSERT INTO attempts (key, stamps, expires_at)
    SELECT 'login:' || n, ARRAY[extract(epoch FROM clock)::float8], clock + interval '1 hour'`,
  login_guards: `
    INSERT INTO login_guards (subject, user_id, strangers, strangers_at, last_part, expires_at)
    SELECT CASE n % 2 WHEN 0 THEN 'u:' || ${idSql('user')} ELSE 'e:' || n END, CASE n % 2 WHEN 0 THEN ${idSql('user')} END, 1, clock, 's', CASE n % 2 WHEN 1 THEN clock + interval '7 days' END`
}

/** What concerns a tenth of the accounts at a time. */
const FEWER = /INTO (?:email_holds|attempts|login_guards)/

/** Adds rows to every table, on two connections. */
export async function addRows (url: string, { from, to, age = '0' }: Rows): Promise<void> {
  const waiting = Object.values(TABLES)
  await Promise.all([1, 2].map(() => onServer(url, async client => {
    // Without the checks of foreign keys and the trigger, each of which takes as long as the row.
    await client.query("SET session_replication_role = replica; SET synchronous_commit = off; SET TimeZone = 'UTC'")
    for (let insert = waiting.shift(); insert !== undefined; insert = waiting.shift()) {
      await client.query(`${insert} FROM generate_series(${from}::bigint, ${FEWER.test(insert) ? Math.max(Math.min(to, 1_000), Math.floor(to / 10)) : to}::bigint) AS n, (SELECT now() - interval '${age}' AS clock) AS clocks`)
    }
  })))
}

/** Removes the indexes that are no constraints' while work is done, which is faster than keeping them up. */
export async function withoutIndexes (url: string, work: () => Promise<void>): Promise<void> {
  const indexes = await onServer(url, async client => {
    const { rows } = await client.query<{ name: string, definition: string }>(`
      SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
      WHERE relnamespace = 'public'::regnamespace AND relname = ANY($1) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`, [Object.keys(TABLES)])
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`)
    return rows.map(({ definition }) => definition)
  })
  await work()
  await Promise.all([1, 2].map(() => onServer(url, async client => {
    await client.query("SET maintenance_work_mem = '256MB'; SET max_parallel_maintenance_workers = 0")
    for (let definition = indexes.shift(); definition !== undefined; definition = indexes.shift()) await client.query(definition)
  })))
}

const SIZES = "SELECT relname AS name, relpages AS pages, reltuples AS rows FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"

/** What the planner believes of a table or an index. */
export interface Size { name: string, pages: number, rows: number }

export async function readSizes (client: pg.Client): Promise<Size[]> {
  return (await client.query<Size>(SIZES)).rows
}

/** Has the planner believe it, as it would had no index been built since. */
export async function writeSizes (client: pg.Client, sizes: readonly Size[]): Promise<void> {
  await client.query(`
    UPDATE pg_class SET relpages = pages, reltuples = "rows" FROM jsonb_to_recordset($1::jsonb) AS size (name text, pages int, "rows" float4)
    WHERE relname = size.name AND relnamespace = 'public'::regnamespace`, [JSON.stringify(sizes)])
}

/** Takes from the planner what it knows of the values in the tables. */
export async function forgetValues (client: pg.Client): Promise<void> {
  await client.query("DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)")
}
