/** What mails tell, beside their text. */
export interface MailValues {
  /** The URL of a page; nothing happens before its button is pressed. */
  link: string
  /** Six digits. */
  code: string
  /** How long link and code are valid. */
  minutes: number
  /** How long the link is valid. */
  days: number
  /** The account's other address. */
  email: string
  /** A client in words: `Firefox on Linux`; empty where it is not known. Never what it calls itself. */
  device: string
  /** The name of a provider. */
  provider: string
  factor: 'totp' | 'passkey' | 'recovery_codes'
  change: 'added' | 'removed' | 'renewed'
  /** When it happened, in ISO 8601. */
  at: string
  /** When it will happen, in ISO 8601. */
  until: string
}

/**
 * Every mail, with what it tells. What goes to an address that nobody has proved has nothing that the asker wrote, such as a
 * name: the service is no relay.
 */
export const MAIL_MESSAGES = {
  verify_email: ['link', 'code', 'minutes'],
  register_code: ['link', 'code', 'minutes'],
  existing_account: ['link'],
  password_reset: ['link', 'code', 'minutes'],
  invitation: ['link', 'days'],
  login_code: ['code', 'minutes'],
  email_change: ['link', 'code', 'minutes'],
  email_change_asked: ['email', 'at'],
  email_changed: ['email', 'at', 'link', 'days'],
  email_reverted: ['at'],
  deletion_scheduled: ['until', 'link'],
  account_restored: ['at'],
  account_deleted: ['at'],
  new_device: ['device', 'at'],
  password_changed: ['at'],
  address_changed: ['at'],
  address_removed: ['at'],
  identity_linked: ['provider', 'at'],
  factor_changed: ['factor', 'change', 'at'],
  wrong_second_factor: ['device', 'at'],
  refresh_token_reused: ['device', 'at'],
  test: []
} as const satisfies Readonly<Record<string, ReadonlyArray<keyof MailValues>>>

export type MailMessage = keyof typeof MAIL_MESSAGES

/** Mails that have their link alone where nobody asked for them: a code is good only with what its asker was answered. */
export const LINK_AT_LEAST = ['verify_email', 'password_reset'] as const satisfies readonly MailMessage[]

type MayLack<Message extends MailMessage> = Message extends typeof LINK_AT_LEAST[number] ? 'code' : never

/** What one mail tells. */
export type MailData<Message extends MailMessage> = Pick<MailValues, Exclude<typeof MAIL_MESSAGES[Message][number], MayLack<Message>>> & Partial<Pick<MailValues, MayLack<Message>>>

/** Mails that only tell the owner of an account what happened; each can be turned off. */
export const NOTICES = ['new_device', 'password_changed', 'address_changed', 'address_removed', 'identity_linked', 'factor_changed', 'wrong_second_factor', 'refresh_token_reused'] as const satisfies readonly MailMessage[]

export type Notice = typeof NOTICES[number]

/** The text of a mail. Code and link stand between `before` and `after`. */
export interface MailText {
  subject: string
  before: readonly string[]
  /** What the link does, in words; absent in mails without a link. */
  action?: string
  after: readonly string[]
}

/** The texts of all mails in one language. `service` is the name of the service. */
export type MailTexts = { readonly [Message in MailMessage]: (data: MailData<Message> & { service: string }) => MailText }
