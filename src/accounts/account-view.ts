import type { UserView } from '../http/schemas.ts'
import type { Account } from './store.ts'

/** @returns an account as the API shows it */
export function toAccountView ({ id, email, emailVerified, name, role, createdAt }: Account): UserView {
  return { id, email, emailVerified, name, role, createdAt: createdAt.toISOString() }
}
