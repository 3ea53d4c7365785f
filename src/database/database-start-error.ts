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
 * The database could not be opened. `message` is one sentence that an operator can act on, without any secret; `cause` is
 * the driver's error.
 */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
  readonly code: DatabaseStartCode

  constructor (code: DatabaseStartCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
