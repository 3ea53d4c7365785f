import { isIP } from 'node:net'
import { parseRedisUrl } from './redis-url.ts'
import { findWeakness } from './secret-strength.ts'

/**
 * Parses the text of a variable, or throws a `RangeError` that says in a few words what is expected.
 *
 * `Option` is what the plugin takes for the same setting: a value whose `String()` is such a text.
 */
export interface Parse<T, Option = string> {
  (text: string): T
  /** Never set: it carries the type. */
  readonly option?: Option
}

/** A whole number and a unit: `10m`, `30d`. */
export type Duration = `${number}${keyof typeof UNITS}`

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

function expected (what: string): never {
  throw new RangeError(`must be ${what}`)
}

/** A duration, in seconds. */
export function duration ({ max = '3650d' }: { max?: Duration } = {}): Parse<number, Duration> {
  const parse: Parse<number> = text => {
    const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text)
    if (match === null) expected('a whole number followed by s, m, h or d')
    return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
  }
  const limit = parse(max)
  return text => {
    const seconds = parse(text)
    return seconds > limit ? expected(`at most ${max}`) : seconds
  }
}

/** A duration, in seconds, or 0 for none. */
export function delay (limits: { max: Duration }): Parse<number, Duration | 0 | '0'> {
  const parse = duration(limits)
  return text => text === '0' || text === '0s' ? 0 : parse(text)
}

export function integer (min: number, max: number): Parse<number, number | `${number}`> {
  return text => {
    const value = /^[0-9]{1,12}$/.test(text) ? Number(text) : NaN
    return value >= min && value <= max ? value : expected(`a whole number from ${min} to ${max}`)
  }
}

export function oneOf<const T extends string> (...values: readonly T[]): Parse<T, T> {
  return text => values.find(value => value === text) ?? expected(`one of ${values.join(', ')}`)
}

export const text: Parse<string> = value => value

export const flag: Parse<boolean, boolean | 'true' | 'false'> = text => oneOf('true', 'false')(text) === 'true'

/** A host name (RFC 1123), such as a cookie's domain. */
export const hostname: Parse<string> = text =>
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/i.test(text) ? text.toLowerCase() : expected('a domain such as example.com')

/** The public URL of the service: no user, no query, no fragment. */
export const publicAddress: Parse<string> = text => {
  const address = url('https', 'http')(text)
  const { username, password, search, hash } = new URL(address)
  return username + password + search + hash === '' ? address : expected('a URL without a user, query or fragment')
}

/** A URL with one of `schemes`. Errors do not repeat it, as it may contain a password. */
export function url (...schemes: readonly string[]): Parse<string> {
  return text => {
    const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : undefined
    return scheme !== undefined && schemes.includes(scheme) ? text : expected(`a URL that begins with ${schemes.map(name => `${name}://`).join(' or ')}`)
  }
}

/** The URL of a PostgreSQL database at one address. */
export const databaseUrl: Parse<string> = text => {
  const [authority = ''] = text.replace(/^postgres(ql)?:\/\//, '').split(/[/?]/)
  const namesSeveral = (authority.split('@').at(-1) ?? '').includes(',') || /[?&](host|port)=[^&]*(,|%2C)/i.test(text) || /[?&](target_session_attrs|load_balance_hosts)=/.test(text)
  if (namesSeveral) throw new RangeError('must name one host, without target_session_attrs: give it an address that follows the primary (a virtual IP, a DNS name, HAProxy or PgBouncer)')
  return url('postgresql', 'postgres')(text)
}

/** Where Redis is, as `parseRedisUrl` takes it. */
export const redisUrl: Parse<string> = text => {
  parseRedisUrl(text)
  return text
}

/** An origin (RFC 6454): scheme, host and port, nothing else; never `*` or `null`. */
export const origin: Parse<string> = text => {
  const what = 'an origin such as https://app.example.com, with nothing after the host and port'
  if (!URL.canParse(text) || text.includes('*')) expected(what)
  const { origin, protocol } = new URL(text)
  return (protocol === 'https:' || protocol === 'http:') && origin === text.toLowerCase() ? origin : expected(what)
}

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/

/** @returns whether the host of a URL is this machine */
export function isLoopback ({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname)
}

/** The URL of a provider: https, or plain http on this machine. */
export const providerUrl: Parse<string> = text => {
  const address = new URL(publicAddress(text))
  return address.protocol === 'https:' || isLoopback(address) ? text : expected('a URL that begins with https:// (http:// on the loopback only)')
}

// Schemes that a browser handles itself: as a redirect they would run script (XSS) or leave the app.
const BROWSER_SCHEMES = ['javascript', 'data', 'vbscript', 'file', 'blob', 'filesystem', 'about', 'view-source', 'ws', 'wss', 'ftp', 'mailto', 'tel', 'sms']

// All parameters of the flow have to fit into a cookie.
const MAX_TARGET_LENGTH = 512

/** Where users are redirected after signing in: a page, an app link, or a private-use URI scheme (RFC 8252 §7.1). */
export const redirectTarget: Parse<string> = text => {
  const what = 'an absolute URL without a user or fragment, such as https://app.example.com/welcome or com.example.app:/callback'
  if (text.length > MAX_TARGET_LENGTH) expected(`at most ${MAX_TARGET_LENGTH} characters each`)
  if (!URL.canParse(text) || !/^[!-~]+$/.test(text) || /[*\\]/.test(text)) expected(what)
  const { protocol, username, password, hash } = new URL(text)
  const isRedirectScheme = !BROWSER_SCHEMES.includes(protocol.slice(0, -1))
  return isRedirectScheme && username + password + hash === '' && !text.endsWith('#') ? text : expected(what)
}

/** OAuth scopes (RFC 6749 §3.3), separated by spaces or commas. */
export const scopes: Parse<string[], string | readonly string[]> = text => {
  const names = text.split(/[ ,]+/)
  return names.every(name => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name)) ? names : expected('scopes separated by spaces')
}

export function list<T, Option> (item: Parse<T, Option>): Parse<T[], string | readonly Option[]> {
  return text => text.split(',').map(part => item(part.trim()))
}

/** Which proxies' forwarded headers are trusted: how many in front, or their addresses. */
export const proxies: Parse<boolean | number | string[]> = text => {
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^[0-9]{1,2}$/.test(text)) return Number(text)
  return list(part => {
    const [address = '', prefix = '1', ...rest] = part.split('/')
    const longest = isIP(address) === 4 ? 32 : 128
    const isKnown = ['loopback', 'linklocal', 'uniquelocal'].includes(part)
    return isKnown || (isIP(address) !== 0 && /^[1-9][0-9]{0,2}$/.test(prefix) && Number(prefix) <= longest && rest.length === 0)
      ? part
      : expected('the number of proxies in front, or their addresses')
  })(text)
}

/** Who may read something: everybody who can connect, nobody, or whoever has a token (RFC 6750). */
export type Access = 'open' | 'off' | { readonly token: string }

export const access: Parse<Access> = text => {
  if (text === 'open' || text === 'off') return text
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) expected('open, off, or a token of letters, digits and -._~+/')
  const weakness = findWeakness(text)
  if (weakness !== undefined) throw new RangeError(`must be open, off, or a strong token; this one ${weakness}`)
  return { token: text }
}

/** Secrets separated by commas. White space is kept, to be reported as an error. */
export const ring: Parse<string[], string | readonly string[]> = text => text.split(',')
