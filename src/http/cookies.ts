import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import { hasCookie, readCookie as readSingleCookie, type CredentialRequest } from 'countersign-verifier/internal'
import type { Config } from '../config.ts'
import { Problem } from '../errors.ts'

/** What a cookie holds. `device` is not a credential: it only shows that someone has logged in from this browser before. */
export type CookieRole = 'access' | 'refresh' | 'session' | 'device'

/** A cookie that was sent twice: a sibling subdomain may have set one of the two (cookie tossing). */
export class AmbiguousCookie extends Problem {
  constructor () {
    super('invalid_token')
  }
}

type WithHeaders = Pick<CredentialRequest, 'headers'>

/** The service's cookies: their names, and how they are read, set and cleared. */
export type Cookies = ReturnType<typeof createCookies>

/**
 * The scheme of `PUBLIC_URL` decides between the `__Host-` names (Secure, this host only) and the plain ones that http needs.
 * `COOKIE_DOMAIN` applies to the access cookie only.
 */
export function createCookies ({ publicUrl, cookieDomain, cookieSameSite }: Pick<Config, 'publicUrl' | 'cookieDomain' | 'cookieSameSite'>) {
  const secure = publicUrl.startsWith('https:')
  const host = secure ? '__Host-' : ''
  const shared = secure ? '__Secure-' : ''
  const names: Readonly<Record<CookieRole, string>> = {
    access: `${cookieDomain === undefined ? host : shared}access`,
    refresh: `${host}refresh`,
    session: `${host}session`,
    device: `${host}device`
  }
  const credentials = [names.access, names.refresh, names.session]

  /** @param maxAge seconds */
  function set (reply: FastifyReply, role: CookieRole, value: string, maxAge: number): void {
    reply.header('set-cookie', fastifyCookie.serialize(names[role], value, {
      path: '/',
      httpOnly: true,
      secure,
      sameSite: cookieSameSite,
      maxAge,
      ...role === 'access' && cookieDomain !== undefined && { domain: cookieDomain }
    }))
  }

  function clear (reply: FastifyReply, ...roles: CookieRole[]): void {
    for (const role of roles) set(reply, role, '', 0)
  }

  function carries ({ headers: { cookie } }: WithHeaders, names: readonly string[]): boolean {
    return cookie !== undefined && hasCookie(cookie, names)
  }

  return {
    names,
    set,
    clear,
    /** @throws AmbiguousCookie */
    read: ({ headers: { cookie } }: WithHeaders, role: CookieRole) => cookie === undefined ? undefined : readCookie(cookie, names[role]),
    /** Clears those of the cookies that the request carries. */
    clearCarried (reply: FastifyReply, ...roles: CookieRole[]): void {
      clear(reply, ...roles.filter(role => carries(reply.request, [names[role]])))
    },
    /** Whether the request carries a cookie that is a credential, and so needs protection from CSRF. */
    carriesCredential: (request: WithHeaders) => carries(request, credentials)
  }
}

/** @throws AmbiguousCookie */
export function readCookie (header: string, name: string): string | undefined {
  return readSingleCookie(header, name, AmbiguousCookie)
}

/** @returns the names in a Cookie header, repeated ones too */
export function cookieNames (header: string): string[] {
  return header.split(';').map(pair => pair.slice(0, Math.max(0, pair.indexOf('='))).trim())
}
