import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { Problem } from '../errors.ts'

/** What a cookie holds. `device` is no credential: it only shows that somebody has logged in from this browser before. */
export type CookieRole = 'access' | 'refresh' | 'session' | 'device'

/** Two cookies of one name: a sibling subdomain may have set one of them (cookie tossing), and they look alike. */
export class AmbiguousCookie extends Problem {
  constructor () {
    super('invalid_token')
  }
}

type WithHeaders = Pick<FastifyRequest, 'headers'>

/** The service's cookies: their names, and how they are read, set and cleared. */
export interface Cookies {
  readonly names: Readonly<Record<CookieRole, string>>
  /** @throws AmbiguousCookie */
  read (request: WithHeaders, role: CookieRole): string | undefined
  /** @param maxAge seconds */
  set (reply: FastifyReply, role: CookieRole, value: string, maxAge: number): void
  /** Whether the request has the cookie. */
  carries (request: WithHeaders, role: CookieRole): boolean
  clear (reply: FastifyReply, ...roles: CookieRole[]): void
  /** Clears those of the cookies that the request has. */
  clearCarried (reply: FastifyReply, ...roles: CookieRole[]): void
  /** Whether the request has any cookie that is a credential, and so needs protection from CSRF. */
  carriesCredential (request: WithHeaders): boolean
}

/**
 * The scheme of `PUBLIC_URL` decides between the `__Host-` names (Secure, this host only) and the plain ones that http needs.
 * `COOKIE_DOMAIN` is for the access cookie only.
 */
export function createCookies ({ publicUrl, cookieDomain, cookieSameSite }: Pick<Config, 'publicUrl' | 'cookieDomain' | 'cookieSameSite'>): Cookies {
  const secure = publicUrl.startsWith('https:')
  const host = secure ? '__Host-' : ''
  const shared = secure ? '__Secure-' : ''
  const names = {
    access: `${cookieDomain === undefined ? host : shared}access`,
    refresh: `${host}refresh`,
    session: `${host}session`,
    device: `${host}device`
  }
  const credentials = [names.access, names.refresh, names.session]

  function write (reply: FastifyReply, role: CookieRole, value: string, maxAge: number): void {
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
    for (const role of roles) write(reply, role, '', 0)
  }

  function carries ({ headers: { cookie } }: WithHeaders, role: CookieRole): boolean {
    return cookie !== undefined && cookieNames(cookie).includes(names[role])
  }

  return {
    names,
    read: ({ headers: { cookie } }, role) => cookie === undefined ? undefined : readCookie(cookie, names[role]),
    set: write,
    carries,
    clear,
    clearCarried (reply, ...roles) {
      clear(reply, ...roles.filter(role => carries(reply.request, role)))
    },
    carriesCredential: ({ headers: { cookie } }) => cookie !== undefined && cookieNames(cookie).some(name => credentials.includes(name))
  }
}

/** @throws AmbiguousCookie */
export function readCookie (header: string, name: string): string | undefined {
  if (!header.includes(name)) return undefined
  if (cookieNames(header).filter(other => other === name).length > 1) throw new AmbiguousCookie()
  return fastifyCookie.parse(header)[name]
}

/** The names in a Cookie header, repeated ones too. */
export function cookieNames (header: string): string[] {
  return header.split(';').map(pair => pair.slice(0, Math.max(0, pair.indexOf('='))).trim())
}
