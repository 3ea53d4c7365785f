import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import { cookieValues, hasCookie, namesOtherIssuer, readCookie as readSingleCookie, type CredentialRequest } from 'countersign-verifier/internal'
import type { Config } from '../config.ts'
import { Problem } from '../errors.ts'
import { currentCookie, formerCookies, isFormOf, type CookieVariant, type CredentialRole } from './cookie-variants.ts'

/** What a cookie holds. `device` is not a credential: it only shows that someone has logged in from this browser before. */
export type CookieRole = CredentialRole | 'device'

/** A cookie that was sent twice: a sibling subdomain may have set one of the two (cookie tossing). */
export class AmbiguousCookie extends Problem {
  readonly clearing: readonly string[]

  /** @param clearing the `Set-Cookie` fields that clear it */
  constructor (clearing: readonly string[] = []) {
    super('invalid_token')
    this.clearing = clearing
  }
}

type WithHeaders = Pick<CredentialRequest, 'headers'>

/** The service's cookies: their names, and how they are read, set and cleared. */
export type Cookies = ReturnType<typeof createCookies>

const CREDENTIALS: readonly CredentialRole[] = ['access', 'refresh', 'session']

/**
 * The scheme of `PUBLIC_URL` decides between the `__Host-` names (Secure, this host only) and the plain ones that http needs.
 * `COOKIE_DOMAIN` applies to the access cookie only.
 */
export function createCookies (config: Pick<Config, 'publicUrl' | 'cookieDomain' | 'cookieSameSite' | 'issuer'>) {
  const { publicUrl, cookieSameSite: sameSite, issuer } = config
  const secure = publicUrl.startsWith('https:')
  const current: Readonly<Record<CookieRole, CookieVariant>> = {
    access: currentCookie(config, 'access'),
    refresh: currentCookie(config, 'refresh'),
    session: currentCookie(config, 'session'),
    device: { name: `${secure ? '__Host-' : ''}device`, domain: undefined, secure }
  }
  const former: Readonly<Record<CredentialRole, readonly CookieVariant[]>> = { access: formerCookies(config, 'access'), refresh: formerCookies(config, 'refresh'), session: formerCookies(config, 'session') }
  const names: Readonly<Record<CookieRole, string>> = { access: current.access.name, refresh: current.refresh.name, session: current.session.name, device: current.device.name }
  const credentials = CREDENTIALS.map(role => names[role])

  /** @param maxAge seconds */
  function serialize ({ name, domain, secure }: CookieVariant, value: string, maxAge: number): string {
    return fastifyCookie.serialize(name, value, { path: '/', httpOnly: true, secure, sameSite, maxAge, ...domain !== undefined && { domain } })
  }

  /**
   * Sets a cookie, after clearing what a browser sends of it from another `COOKIE_DOMAIN` or scheme: of two under one name,
   * neither would be accepted.
   *
   * @param maxAge seconds
   */
  function set (reply: FastifyReply, role: CookieRole, value: string, maxAge: number): void {
    if (role !== 'device') clearFormer(reply, role)
    reply.header('set-cookie', serialize(current[role], value, maxAge))
  }

  function clearFormer (reply: FastifyReply, role: CredentialRole): void {
    for (const variant of former[role]) {
      if (mayBeOurs(reply.request, role, variant)) reply.header('set-cookie', serialize(variant, '', 0))
    }
  }

  // A browser does not tell the domain of a cookie. A bare name may be that of other software at this host; and of a name that
  // comes from several domains, one may be another service's, which nobody here is to log out.
  function mayBeOurs ({ headers: { cookie } }: WithHeaders, role: CredentialRole, { name }: CookieVariant): boolean {
    if (cookie === undefined) return false
    const values = cookieValues(cookie, name)
    if (values.some(value => isOfOtherService(role, name, value))) return false
    return values.some(value => name !== role || !secure || isFormOf(role, value))
  }

  // What has the prefix was set by this very host: of another issuer, it is ours from before the issuer was changed.
  function isOfOtherService (role: CookieRole, name: string, value: string): boolean {
    return role === 'access' && !name.startsWith('__Host-') && namesOtherIssuer(value, issuer)
  }

  function read ({ headers: { cookie } }: WithHeaders, role: CookieRole): string | undefined {
    if (cookie === undefined) return undefined
    try {
      const value = readSingleCookie(cookie, names[role], Ambiguous[role])
      return value !== undefined && !secure && isOfOtherService(role, names[role], value) ? undefined : value
    } catch (error) {
      // A domain above may have the access cookie of another service.
      const own = cookieValues(cookie, names[role]).filter(value => !isOfOtherService(role, names[role], value))
      if (own.length > 1) throw error
      return own[0]
    }
  }

  function clear (reply: FastifyReply, ...roles: CookieRole[]): void {
    for (const role of roles) set(reply, role, '', 0)
  }

  function carries ({ headers: { cookie } }: WithHeaders, names: readonly string[]): boolean {
    return cookie !== undefined && hasCookie(cookie, names)
  }

  /** @returns the error for a cookie that came twice, which clears it under every domain that it may have */
  function ambiguous (role: CookieRole): new () => AmbiguousCookie {
    const variants = role === 'device' ? [] : former[role].filter(({ name }) => name === names[role])
    const clearing = [...variants, current[role]].map(variant => serialize(variant, '', 0))
    return class extends AmbiguousCookie {
      constructor () {
        super(clearing)
      }
    }
  }
  const Ambiguous = { access: ambiguous('access'), refresh: ambiguous('refresh'), session: ambiguous('session'), device: ambiguous('device') }

  return {
    names,
    set,
    clear,
    /** @returns the cookie's value; `undefined` where there is none, or it is that of another service on this host. @throws AmbiguousCookie */
    read,
    /** Clears those of the cookies that the request carries, and their variants. */
    clearCarried (reply: FastifyReply, ...roles: CookieRole[]): void {
      for (const role of roles) {
        if (carries(reply.request, [names[role]])) clear(reply, role)
        else if (role !== 'device') clearFormer(reply, role)
      }
    },
    /** Whether the request carries a cookie that is a credential, or was one under another configuration. */
    carriesAny: (request: WithHeaders) => CREDENTIALS.some(role => [current[role], ...former[role]].some(variant => mayBeOurs(request, role, variant))),
    /** Whether the request carries a cookie that is a credential, and so needs protection from CSRF. */
    carriesCredential: (request: WithHeaders) => carries(request, credentials)
  }
}

/** @throws AmbiguousCookie */
export function readCookie (header: string, name: string): string | undefined {
  return readSingleCookie(header, name, AmbiguousCookie)
}

/**
 * Reads the cookies whose names begin with a prefix, in one pass: the work must not grow faster than the header.
 *
 * @param limit how many of them are read; the others are passed over
 * @returns values by the rest of their names; `undefined` for a cookie that was sent twice
 */
export function readCookiesOf (header: string, prefix: string, limit: number): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>()
  for (const pair of header.split(';')) {
    const sign = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, sign)).trim()
    if (!name.startsWith(prefix)) continue
    const rest = name.slice(prefix.length)
    if (found.has(rest)) found.set(rest, undefined)
    else if (found.size < limit) found.set(rest, pair.slice(sign + 1).trim())
  }
  return found
}
