/** The scopes that this service itself uses. A client may have others, for other services. */
export const SCOPES = ['introspect', 'revocations:read', 'sessions:revoke', 'clients:forward'] as const

/** Whether a text can be the name of a scope (RFC 6749 §3.3). */
export function isScope (text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(text)
}
