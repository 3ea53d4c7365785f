/** The errors of OAuth endpoints alone, all 400 (RFC 6749 §5.2, RFC 8707 §2). */
export type OAuthErrorCode = 'invalid_request' | 'invalid_scope' | 'invalid_target' | 'unauthorized_client' | 'unsupported_grant_type'

/** A request that an OAuth endpoint refuses. The message is for the developer of the client (`error_description`). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode

  constructor (code: OAuthErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
