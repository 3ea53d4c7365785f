interface KeptCookie {
  name: string
  value: string
  host: string
  path: string
  attributes: readonly string[]
}

/** The cookies of one browser: by host (no port counts, RFC 6265 §8.5) and path. */
export interface CookieJar {
  /** @param lines `Set-Cookie` fields */
  take (url: URL, lines: readonly string[]): void
  /** The `Cookie` field for a URL. From another site only what its `SameSite` lets come along (RFC 6265bis §5.6.7.1). */
  headerFor (url: URL, from?: { crossSite: boolean, safe: boolean }): string | undefined
  /** Name -> value of what a host has set. */
  of (host: string): Record<string, string>
  /** The attributes of a cookie, as they stand. */
  attributesOf (host: string, name: string): readonly string[]
  set (host: string, name: string, value: string): void
  forget (host: string, isMeant: (name: string) => boolean): void
}

export function createCookieJar (): CookieJar {
  let kept: KeptCookie[] = []

  function put (cookie: KeptCookie): void {
    kept = kept.filter(({ name, host, path }) => name !== cookie.name || host !== cookie.host || path !== cookie.path)
    if (!isOver(cookie.attributes)) kept.push(cookie)
  }

  return {
    take ({ hostname }, lines) {
      for (const line of lines) {
        const [pair = '', ...attributes] = line.split(/; */)
        const at = pair.indexOf('=')
        const path = valueOf(attributes, 'path') ?? '/'
        put({ name: pair.slice(0, at), value: pair.slice(at + 1), host: hostname, path, attributes })
      }
    },
    headerFor ({ hostname, pathname }, { crossSite, safe } = { crossSite: false, safe: true }) {
      const fitting = kept.filter(({ host, path, attributes }) => {
        const isOfPath = pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
        const sameSite = valueOf(attributes, 'samesite')?.toLowerCase() ?? 'lax'
        return host === hostname && isOfPath && (!crossSite || sameSite === 'none' || (sameSite === 'lax' && safe))
      })
      return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
    },
    of: hostname => Object.fromEntries(kept.filter(({ host }) => host === hostname).map(({ name, value }) => [name, value])),
    attributesOf: (hostname, name) => kept.find(cookie => cookie.host === hostname && cookie.name === name)?.attributes ?? [],
    set: (host, name, value) => put({ name, value, host, path: '/', attributes: [] }),
    forget (hostname, isMeant) {
      kept = kept.filter(({ host, name }) => host !== hostname || !isMeant(name))
    }
  }
}

function isOver (attributes: readonly string[]): boolean {
  const age = valueOf(attributes, 'max-age')
  const end = valueOf(attributes, 'expires')
  return age === undefined ? end !== undefined && Date.parse(end) <= Date.now() : Number(age) <= 0
}

function valueOf (attributes: readonly string[], name: string): string | undefined {
  return attributes.find(text => text.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
}
