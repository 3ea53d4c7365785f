/** What the audit trail records. */
export const AUDIT_ACTIONS = [
  'register', 'login', 'logout', 'refresh', 'session_end', 'password_change', 'password_reset', 'email_change', 'email_revert',
  'create', 'invite', 'role_change', 'disable', 'enable', 'unlock', 'email_verify',
  'deletion_schedule', 'account_restore', 'delete',
  'identity_link', 'identity_unlink', 'account_claim',
  'client_create', 'client_rotate', 'client_key', 'client_remove', 'client_authentication', 'client_token', 'client_revocation'
] as const

export type AuditAction = typeof AUDIT_ACTIONS[number]

/** Who did what to whom, and with which outcome. Never contains a secret. */
export interface AuditEvent {
  action: AuditAction
  outcome: 'success' | 'failure' | 'reused' | 'repeated' | 'ahead'
  actorId?: string | undefined
  subjectId?: string | undefined
  sessionId?: string | undefined
  ip?: string | null | undefined
  userAgent?: string | null | undefined
  detail?: Record<string, string | number | boolean>
}
