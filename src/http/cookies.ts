import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { Problem } from '../errors.ts'

/** What our cookies hold. `device` opens nothing: it only shows that somebody has logged in from here before. */
export type CookieRole = 'access' | 'refresh' | 'session' | 'device'

/** A cookie came twice under one name: a sibling subdomain may have tossed one in, and nobody can tell which. */
export class AmbiguousCookie extends Problem {
  constructor () {
    super('invalid_token')
  }
}

type WithHeaders = Pick<FastifyRequest, 'headers'>

/** Our cookies: their names, and how they are read, set and cleared. */
export interface Cookies {
  readonly names: Readonly<Record<CookieRole, string>>
  /** @throws AmbiguousCookie */
  read (request: WithHeaders, role: CookieRole): string | undefined
  /** @param maxAge seconds */
  set (reply: FastifyReply, role: CookieRole, value: string, maxAge: number): void
  /** Whether a request carries the cookie. */
  carries (request: WithHeaders, role: CookieRole): boolean
  clear (reply: FastifyReply, ...roles: CookieRole[]): void
  /** Clears those of the cookies that the request carries. */
  clearCarried (reply: FastifyReply, ...roles: CookieRole[]): void
  /** Whether a request carries any cookie that opens something. */
  carriesCredential (request: WithHeaders): boolean
}

/**
 * `PUBLIC_URL`'s scheme alone decides between the `__Host-` names (Secure, this host only) and the bare ones that plain
 * http has to do with. `COOKIE_DOMAIN` touches the access cookie only.
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

/** The names of a Cookie header, as often as they come. */
export function cookieNames (header: string): string[] {
  return header.split(';').map(pair => pair.slice(0, Math.max(0, pair.indexOf('='))).trim())
}
