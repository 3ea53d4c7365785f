import type { Browser, Page } from './browser.ts'
import { APP, PUBLIC_URL } from './world.ts'

/** How somebody signs in. */
export interface SigningIn {
  /** The account at the provider, by what it is kept under; `null` cancels. */
  as: string | null
  redirectTo?: string
  deliver?: 'cookie' | 'session'
  /** Further parameters of the start. */
  parameters?: Readonly<Record<string, string>>
}

/** Where somebody ended. */
export interface Landing {
  readonly page: Page
  /** The address, less its query. */
  readonly at: string
  readonly error: string | null
  readonly code: string | null
}

/** The address that a button of an app leads to. */
export function startUrl (provider: string, { redirectTo = APP, deliver, parameters }: Partial<SigningIn> = {}): string {
  const query = new URLSearchParams({ redirectTo, ...deliver !== undefined && { deliver }, ...parameters })
  return `/auth/providers/${provider}?${query}`
}

/** From the button to the provider. @returns where the provider is asked, with all that it is asked */
export async function begin (browser: Browser, provider: string, signingIn: Partial<SigningIn> = {}): Promise<URL> {
  const page = await browser.visit(startUrl(provider, signingIn))
  if (page.status !== 302 || page.location === undefined) throw new Error(`Starting was answered ${page.status}: ${page.text}`)
  return page.location
}

/** At the provider: says who, and agrees. @returns the address that the provider sends back to */
export async function agree (browser: Browser, authorizationUrl: URL, as: string | null): Promise<URL> {
  const isCallback = (url: URL) => url.pathname.endsWith('/callback')
  const page = await browser.follow(authorizationUrl, { site: 'cross-site' }, isCallback)
  if (page.location !== undefined) return page.location
  if (!page.text.includes('<form')) throw new Error(`The provider answered ${page.status}: ${page.text}`)
  const form = as === null ? { account: '', decision: 'deny' } : { account: as, decision: 'allow' }
  const decided = await browser.follow(page.url, { form, site: 'same-origin' }, isCallback)
  if (decided.location === undefined) throw new Error(`The provider answered ${decided.status}: ${decided.text}`)
  return decided.location
}

/** Back from the provider. */
export async function comeBack (browser: Browser, callback: URL): Promise<Landing> {
  return landingOf(await browser.visit(callback, { site: 'cross-site' }))
}

export async function signIn (browser: Browser, provider: string, { as, ...how }: SigningIn): Promise<Landing> {
  return comeBack(browser, await agree(browser, await begin(browser, provider, how), as))
}

export function landingOf (page: Page): Landing {
  const url = new URL(page.location ?? page.url)
  const { searchParams } = url
  const [error, code] = [searchParams.get('error'), searchParams.get('code')]
  for (const name of ['error', 'code']) searchParams.delete(name)
  return { page, at: url.href, error, code }
}

/** The cookies that the service has set in a browser. */
export function cookiesOf ({ jar }: Browser, host = new URL(PUBLIC_URL).hostname): Record<string, string> {
  return jar.of(host)
}
