import type { Test } from 'tap'
import { startService, type Settings, type TestService } from '../service.ts'
import { createBrowser, type Browser } from './browser.ts'
import { startFacebook, type Facebook } from './facebook.ts'
import { startGitHub, type GitHub } from './github.ts'
import { startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts'

/** The service, with all its providers. */
export interface World {
  readonly service: TestService
  /** A real OpenID provider instead of Google's. */
  readonly google: OpenIdProvider
  readonly github: GitHub
  readonly facebook: Facebook
  /** Another OpenID provider, configured as `acme`, and not trusted for e-mail. */
  readonly acme: OpenIdProvider
  /** A new browser each time. */
  browser (address?: string): Browser
}

export const PUBLIC_URL = 'https://auth.example.com'

/** The allowed redirect targets. */
export const APP = 'https://app.example.com/welcome'
export const OTHER_APP = 'https://shop.example.com/account?tab=orders'
export const APP_LINK = 'https://app.example.com/mobile'
export const APP_SCHEME = 'com.example.app:/signed-in'

const SECRET = 'a secret that the provider gave'

export async function startWorld (t: Test, settings: Settings = {}): Promise<World> {
  const publicUrl = settings.PUBLIC_URL ?? PUBLIC_URL
  const at = (provider: string) => ({ clientId: `countersign-at-${provider}`, clientSecret: SECRET, redirectUri: `${publicUrl}/auth/providers/${provider}/callback` })
  const [google, github, facebook, acme] = await Promise.all([
    startOpenIdProvider(t, at('google')),
    startGitHub(t, at('github')),
    startFacebook(t, at('facebook')),
    startOpenIdProvider(t, { ...at('acme'), claimsInIdToken: false, authentication: 'client_secret_basic' })
  ])

  const service = await startService(t, {
    PUBLIC_URL: publicUrl,
    ALLOWED_REDIRECTS: [APP, OTHER_APP, APP_LINK, APP_SCHEME].join(','),
    GOOGLE_CLIENT_ID: at('google').clientId,
    GOOGLE_CLIENT_SECRET: SECRET,
    GOOGLE_NATIVE_CLIENT_IDS: 'ios-app,android-app',
    GOOGLE_ISSUER: google.issuer,
    GITHUB_CLIENT_ID: at('github').clientId,
    GITHUB_CLIENT_SECRET: SECRET,
    GITHUB_BASE_URL: github.origin,
    GITHUB_API_URL: `${github.origin}/api/v3`,
    FACEBOOK_CLIENT_ID: at('facebook').clientId,
    FACEBOOK_CLIENT_SECRET: SECRET,
    FACEBOOK_BASE_URL: facebook.origin,
    FACEBOOK_GRAPH_URL: facebook.origin,
    OIDC_ACME_ISSUER: acme.issuer,
    OIDC_ACME_CLIENT_ID: at('acme').clientId,
    OIDC_ACME_CLIENT_SECRET: SECRET,
    ...settings
  })
  return { service, google, github, facebook, acme, browser: address => createBrowser(service, address) }
}
