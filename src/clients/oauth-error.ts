/** The errors that only OAuth endpoints answer with, all 400 (RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2). */
export type OAuthErrorCode = 'invalid_request' | 'invalid_scope' | 'invalid_target' | 'unsupported_grant_type' | 'unsupported_token_type'

/** A request that an OAuth endpoint refuses. The message is for the developer of the client (`error_description`). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode

  constructor (code: OAuthErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
