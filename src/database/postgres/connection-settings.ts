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

/**
 * Parses a Postgres URL. Its server options are kept, but ours override them: sessions always run in UTC, because the
 * Prisma adapter writes times without a zone.
 * @param statementTimeoutMs 0 for none
 */
export function connectionSettings (url: string, statementTimeoutMs: number): ConnectionSettings {
  const parsed = parse(url)
  const { searchParams } = parsed
  const schema = searchParams.get('schema') ?? undefined
  const options = [
    searchParams.get('options'),
    schema === undefined ? null : `-c search_path=${escapeOption(quoteIdentifier(schema))}`,
    '-c TimeZone=UTC',
    `-c statement_timeout=${statementTimeoutMs}`
  ].filter(option => option !== null).join(' ')
  // pg prefers the URL's parameters to the fields of its configuration.
  searchParams.delete('options')
  searchParams.delete('schema')
  const host = searchParams.get('host') ?? (decode(parsed.hostname) || 'localhost')
  return {
    config: {
      connectionString: parsed.href,
      options,
      fallback_application_name: 'countersign',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000
    },
    address: `${host}:${searchParams.get('port') ?? (parsed.port || '5432')}`,
    database: decode(parsed.pathname.slice(1)),
    schema
  }
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

function escapeOption (value: string) {
  return value.replace(/[\\ ]/g, '\\$&')
}

function parse (url: string) {
  if (URL.canParse(url)) {
    const parsed = new URL(url)
    if (parsed.protocol === 'postgres:' || parsed.protocol === 'postgresql:') return parsed
  }
  throw new DatabaseStartError('invalid_url',
    'The database URL is not valid: it looks like postgres://user:password@host:5432/database.')
}
