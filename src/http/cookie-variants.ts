import { isIP } from 'node:net'
import type { Config } from '../config.ts'

/** A cookie that is a credential, by what it holds. */
export type CredentialRole = 'access' | 'refresh' | 'session'

/** One cookie that a browser may have: cookies of one name with different domains are different cookies. */
export interface CookieVariant {
  name: string
  /** `undefined`: for this host only. */
  domain: string | undefined
  secure: boolean
}

/** Where an access cookie is kept apart from all others that a configuration of this host could have set. */
type CookieConfig = Pick<Config, 'publicUrl' | 'cookieDomain'>

// What our cookies look like: other software at this host may use the bare names too.
const FORMS: Readonly<Record<CredentialRole, RegExp>> = {
  access: /^ey[\w-]+\.ey[\w-]+\.[\w-]+$/,
  refresh: /^[0-9a-f-]{36}\.\d+\.[\w-]{22}\.[\w-]{43}$/,
  session: /^[\w-]{43}$/
}

/** @returns the cookie that holds a credential under this configuration */
export function currentCookie ({ publicUrl, cookieDomain }: CookieConfig, role: CredentialRole): CookieVariant {
  const secure = publicUrl.startsWith('https:')
  const domain = role === 'access' ? cookieDomain : undefined
  return { name: `${!secure ? '' : domain === undefined ? '__Host-' : '__Secure-'}${role}`, domain, secure }
}

/**
 * @returns the cookies of a role that a browser may still have from another configuration of this host, with another
 * `COOKIE_DOMAIN` or another scheme
 */
export function formerCookies (config: CookieConfig, role: CredentialRole): CookieVariant[] {
  const current = currentCookie(config, role)
  const domains = role === 'access' ? [undefined, ...domainsAbove(new URL(config.publicUrl).hostname)] : [undefined]
  const all = [
    { name: `__Host-${role}`, domain: undefined, secure: true },
    ...role === 'access' ? domains.map(domain => ({ name: '__Secure-access', domain, secure: true })) : [],
    ...domains.map(domain => ({ name: role, domain, secure: false }))
  ]
  return all.filter(({ name, domain }) => name !== current.name || domain !== current.domain)
}

/** Whether a value under a bare name may be a credential of this service. */
export function isFormOf (role: CredentialRole, value: string): boolean {
  return FORMS[role].test(value)
}

/** A host and the domains above it that may share a cookie; none of an address. */
function domainsAbove (host: string): string[] {
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) return []
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}
