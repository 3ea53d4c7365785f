import type { Mailbox } from '../config/mail-settings.ts'
import { isEmailAddress, normaliseEmail } from '../http/email-address.ts'

/** @returns the mailbox of an address, its domain in A-labels; `undefined` where no mail system would take it */
export function toMailbox (email: string): Mailbox | undefined {
  return isEmailAddress(email) ? { name: '', address: normaliseEmail(email) } : undefined
}
