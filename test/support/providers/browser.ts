import type { TestService } from '../service.ts'
import { createCookieJar, type CookieJar } from './cookie-jar.ts'

/** A loaded page. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** The target of its redirect. */
  readonly location?: URL
}

/** How a page is requested. */
export interface Visit {
  method?: 'GET' | 'POST' | 'DELETE'
  /** Posted as a form. */
  form?: Readonly<Record<string, string>>
  /** Posted as JSON, as a page's script does. */
  json?: unknown
  headers?: Readonly<Record<string, string>>
  /** The value of `Sec-Fetch-Site`, by default that of the address bar. */
  site?: 'none' | 'same-origin' | 'same-site' | 'cross-site'
}

/** A browser without a screen: it stores cookies and follows redirects. */
export interface Browser {
  readonly jar: CookieJar
  /** Sends one request. */
  visit (url: URL | string, visit?: Visit): Promise<Page>
  /** Follows redirects until a page, or a redirect that matches `away` or leaves the loopback and the service. */
  follow (url: URL | string, visit?: Visit, away?: (url: URL) => boolean): Promise<Page>
}

/** Requests to the service are injected, under its public URL, from the client's address. */
export function createBrowser (service: Pick<TestService, 'config' | 'app'>, remoteAddress = '127.0.0.1'): Browser {
  const jar = createCookieJar()
  const home = new URL(service.config.publicUrl)

  async function visit (to: URL | string, { form, json, method = form === undefined && json === undefined ? 'GET' : 'POST', headers = {}, site = 'none' }: Visit = {}): Promise<Page> {
    const url = new URL(to, home)
    const cookie = jar.headerFor(url, { crossSite: site === 'cross-site', safe: method === 'GET' })
    const sent = {
      accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      'sec-fetch-site': site,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      ...cookie !== undefined && { cookie },
      ...form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' },
      ...json !== undefined && { 'content-type': 'application/json' },
      ...headers
    }
    const body = form === undefined ? json === undefined ? undefined : JSON.stringify(json) : new URLSearchParams(form).toString()
    const answer = url.origin === home.origin ? await askService(url, method, sent, body) : await askWorld(url, method, sent, body)
    jar.take(url, answer.setCookies)
    const { location } = answer.headers
    return { url, status: answer.status, headers: answer.headers, text: answer.text, ...location !== undefined && { location: new URL(location, url) } }
  }

  async function askService (url: URL, method: 'GET' | 'POST' | 'DELETE', headers: Record<string, string>, payload: string | undefined) {
    const response = await service.app.inject({ method, url: url.pathname + url.search, headers, remoteAddress, ...payload !== undefined && { payload } })
    return {
      status: response.statusCode,
      headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, value?.toString()])),
      setCookies: [response.headers['set-cookie'] ?? []].flat(),
      text: response.body
    }
  }

  async function askWorld (url: URL, method: string, headers: Record<string, string>, body: string | undefined) {
    const response = await fetch(url, { method, headers, redirect: 'manual', ...body !== undefined && { body } })
    return { status: response.status, headers: Object.fromEntries(response.headers), setCookies: response.headers.getSetCookie(), text: await response.text() }
  }

  async function follow (to: URL | string, options: Visit = {}, away: (url: URL) => boolean = () => false): Promise<Page> {
    let page = await visit(to, options)
    for (let hops = 0; hops < 10 && page.location !== undefined; hops++) {
      const { location } = page
      if (away(location) || (location.origin !== home.origin && location.hostname !== '127.0.0.1')) return page
      page = await visit(location, { site: 'cross-site' })
    }
    return page
  }

  return { jar, visit, follow }
}
