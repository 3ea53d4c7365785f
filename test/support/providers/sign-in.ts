import type { Browser, Page } from './browser.ts'
import { APP, PUBLIC_URL } from './world.ts'

/** How a user signs in. */
export interface SigningIn {
  /** The key of the account at the provider; `null` cancels. */
  as: string | null
  redirectTo?: string
  deliver?: 'cookie' | 'session'
  /** Additional parameters of the start URL. */
  parameters?: Readonly<Record<string, string>>
}

/** Where a flow ended. */
export interface SignInOutcome {
  readonly page: Page
  /** The URL without `error`, `request_id` and `code`. */
  readonly at: string
  readonly error: string | null
  readonly code: string | null
}

/** The URL of an app's sign-in button. */
export function startUrl (provider: string, { redirectTo = APP, deliver, parameters }: Partial<SigningIn> = {}): string {
  const query = new URLSearchParams({ redirectTo, ...deliver !== undefined && { deliver }, ...parameters })
  return `/auth/providers/${provider}?${query}`
}

/** From the button to the provider. @returns the authorization URL */
export async function startFlow (browser: Browser, provider: string, signingIn: Partial<SigningIn> = {}): Promise<URL> {
  const page = await browser.visit(startUrl(provider, signingIn))
  if (page.status !== 302 || page.location === undefined) throw new Error(`Starting returned ${page.status}: ${page.text}`)
  return page.location
}

/** Logs in at the provider and consents. @returns the callback URL */
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

/** Visits the callback. */
export async function finishFlow (browser: Browser, callback: URL): Promise<SignInOutcome> {
  return outcomeOf(await browser.visit(callback, { site: 'cross-site' }))
}

export async function signIn (browser: Browser, provider: string, { as, ...how }: SigningIn): Promise<SignInOutcome> {
  return finishFlow(browser, await agree(browser, await startFlow(browser, provider, how), as))
}

export function outcomeOf (page: Page): SignInOutcome {
  const url = new URL(page.location ?? page.url)
  const { searchParams } = url
  const [error, code] = [searchParams.get('error'), searchParams.get('code')]
  for (const name of ['error', 'request_id', 'code']) searchParams.delete(name)
  return { page, at: url.href, error, code }
}

/** The cookies that the service has set in a browser. */
export function cookiesOf ({ jar }: Browser, host = new URL(PUBLIC_URL).hostname): Record<string, string> {
  return jar.of(host)
}
