/** What the token of a link is for. */
export type LinkPurpose = 'register' | 'verify' | 'reset' | 'invitation' | 'email-change' | 'email-revert' | 'forgot' | 'restore'

// Of the service's own pages. GET consumes nothing there: a button does.
const PAGES: Readonly<Record<LinkPurpose, string>> = {
  register: 'register',
  verify: 'verify',
  reset: 'reset',
  invitation: 'reset',
  'email-change': 'email/confirm',
  'email-revert': 'email/revert',
  forgot: 'forgot',
  restore: 'restore'
}

export type CreateLink = (purpose: LinkPurpose, token?: string) => string

/**
 * Makes the links of mails. Of the configuration alone: a request's Host would be the sender's to choose.
 *
 * @param baseUrl `PUBLIC_URL` with the prefix of the routes
 * @param template `MAIL_LINKS_URL`
 */
export function createLinks ({ baseUrl, template }: { baseUrl: string, template?: string | undefined }): CreateLink {
  return (purpose, token = '') => {
    if (template === undefined) return `${baseUrl}/account/${PAGES[purpose]}${token === '' ? '' : `?token=${encodeURIComponent(token)}`}`
    return template.replaceAll('{purpose}', purpose).replace('{token}', () => encodeURIComponent(token))
  }
}
