export type DatabaseStartCode =
  | 'invalid_url'
  | 'unreachable'
  | 'authentication_refused'
  | 'database_missing'
  | 'too_many_connections'
  | 'tls_refused'
  | 'permission_denied'
  | 'data_dir_unusable'
  | 'data_dir_in_use'
  | 'embedded_damaged'
  | 'migration_edited'
  | 'migration_half_failed'
  | 'migration_failed'
  | 'failed'

/**
 * The database could not be opened. `message` is one plain sentence an operator can act on, without any secret;
 * `cause` holds what the driver said.
 */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
  readonly code: DatabaseStartCode

  constructor (code: DatabaseStartCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
