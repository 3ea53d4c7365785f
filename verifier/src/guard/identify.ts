import type { ProblemClass } from './problem.ts'

/** The part of a request that identifies; every request in Node has it. Header names are in lower case. */
export interface CredentialRequest {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>> & { readonly authorization?: string | undefined, readonly cookie?: string | undefined }
  /** Names and values in turn, as they came. */
  readonly rawHeaders?: readonly string[]
  /** Node's request, where this is a framework's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] }
}

/** A cookie that identifies. */
export interface CookieCredential<Who> {
  /** @throws if the cookie was sent twice */
  read (request: CredentialRequest): string | undefined
  identify (value: string): Who | Promise<Who>
}

/** The credentials that a guard accepts. */
export interface Credentials<Who, Refusal extends Error> {
  bearer (token: string): Who | Promise<Who>
  /** In the order in which they decide. */
  readonly cookies?: ReadonlyArray<CookieCredential<Who>>
  /** Refuses a cross-site request with cookies (CSRF). @throws Refusal */
  checkCsrf? (request: CredentialRequest): void
  readonly Problem: ProblemClass<Refusal>
}

/** Authenticates a request. @throws Refusal, InvalidToken; or rejects with it */
export type Identify<Who> = (request: CredentialRequest) => Who | Promise<Who>

/**
 * The first credential that is present decides: the Bearer token, then each cookie in order. An invalid one is refused and
 * never falls through to the next.
 *
 * No promise for a token: nearly every request takes that path.
 */
export function createIdentify<Who, Refusal extends Error> ({ bearer, cookies = [], checkCsrf = () => {}, Problem }: Credentials<Who, Refusal>): Identify<Who> {
  return request => {
    const { cookie } = request.headers
    const token = bearerToken(authorizationOf(request))
    if (cookie !== undefined) checkCsrf(request)
    if (token !== undefined) return bearer(token)
    for (const { read, identify } of cookies) {
      const value = read(request)
      if (value !== undefined) return identify(value)
    }
    throw new Problem('unauthenticated')
  }
}

const NAME = 'authorization'

/**
 * @returns the Authorization header. Of two, Node gives the first alone, and something in front perhaps looked at the last: they
 * are taken for a token that is none, and so refused
 */
export function authorizationOf ({ headers: { authorization }, rawHeaders, raw }: CredentialRequest): string | undefined {
  const lines = rawHeaders ?? raw?.rawHeaders
  if (authorization === undefined || lines === undefined) return authorization
  let times = 0
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at]
    if (name?.length === NAME.length && name.toLowerCase() === NAME) times++
  }
  return times > 1 ? 'Bearer of two' : authorization
}

/** @returns the token of an Authorization header (RFC 6750 §2.1), after one space or more (RFC 9110 §11.4); `undefined` for another scheme */
export function bearerToken (authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  if (authorization.startsWith('Bearer e')) return authorization.slice(7)
  const scheme = /^bearer(?: +|$)/i.exec(authorization)
  return scheme === null ? undefined : authorization.slice(scheme[0].length)
}
