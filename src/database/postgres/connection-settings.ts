import type { ClientConfig } from 'pg'
import { DatabaseStartError } from '../database-start-error.ts'

export interface ConnectionSettings {
  /** The base configuration of every `pg` client and pool of this process. */
  readonly config: ClientConfig
  /** `host:port`, without secrets. */
  readonly address: string
  readonly database: string
  /** From `?schema=`, as in Prisma's URLs. */
  readonly schema: string | undefined
}

/** How long the server lets a session's statements run and wait. Milliseconds, 0 for ever. */
export interface SessionLimits {
  statementTimeoutMs: number
  lockTimeoutMs: number
}

/** Parses a Postgres URL. Its server options are kept; what `sessionSql` sets overrides them. */
export function connectionSettings (url: string): ConnectionSettings {
  const parsed = parse(url)
  const { searchParams } = parsed
  const schema = searchParams.get('schema') ?? undefined
  const options = searchParams.get('options')
  // pg prefers the URL's parameters to the fields of its configuration.
  searchParams.delete('options')
  searchParams.delete('schema')
  const host = searchParams.get('host') ?? (decode(parsed.hostname) || 'localhost')
  return {
    config: {
      connectionString: parsed.href,
      ...options !== null && { options },
      fallback_application_name: 'countersign',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000
    },
    address: `${host}:${searchParams.get('port') ?? (parsed.port || '5432')}`,
    database: decode(parsed.pathname.slice(1)),
    schema
  }
}

/**
 * SQL: what every connection begins with. Not sent as startup parameters, which a pooler refuses. Sessions always run in UTC,
 * because the Prisma adapter writes times without a zone.
 */
export function sessionSql (settings: Pick<ConnectionSettings, 'schema'>, limits: SessionLimits): string {
  return setSql('SET', settings, limits)
}

/**
 * SQL: what every transaction begins with behind a pooler that gives it any connection. What a session sets there would be
 * missing in the next transaction, and belong to somebody else.
 */
export function transactionSql (settings: Pick<ConnectionSettings, 'schema'>, limits: SessionLimits): string {
  return `BEGIN; ${setSql('SET LOCAL', settings, limits)}`
}

function setSql (set: 'SET' | 'SET LOCAL', { schema }: Pick<ConnectionSettings, 'schema'>, { statementTimeoutMs, lockTimeoutMs }: SessionLimits): string {
  return [
    "TimeZone = 'UTC'",
    `statement_timeout = ${statementTimeoutMs}`,
    `lock_timeout = ${lockTimeoutMs}`,
    ...schema === undefined ? [] : [`search_path = ${quoteIdentifier(schema)}`]
  ].map(setting => `${set} ${setting}`).join('; ')
}

/** @returns an identifier as SQL text */
export function quoteIdentifier (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function decode (part: string) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function parse (url: string) {
  if (URL.canParse(url)) {
    const parsed = new URL(url)
    if (parsed.protocol === 'postgres:' || parsed.protocol === 'postgresql:') return parsed
  }
  throw new DatabaseStartError('invalid_url',
    'The database URL is not valid: it looks like postgres://user:password@host:5432/database.')
}
