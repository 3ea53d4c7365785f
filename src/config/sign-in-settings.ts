import { inGroup } from './setting.ts'
import { flag, list, providerUrl, redirectTarget, scopes, text } from './values.ts'

const signIn = inGroup('Sign-in with providers')

const KEEP_TOKENS = 'Keeps the provider\'s tokens, encrypted, for their owner to fetch.'
const SECRET = '<from the provider>'

/** The settings of signing in with the providers that we know by name. */
export const signInSettings = {
  allowedRedirects: signIn('ALLOWED_REDIRECTS', list(redirectTarget), { fallbackAbout: 'PUBLIC_URL with a slash after it', example: 'https://app.example.com/welcome,com.example.app:/callback', about: 'Where people may be sent back to after signing in, compared exactly, at most 512 characters each. The first is where they go when nothing is known of them.' }),

  googleClientId: signIn('GOOGLE_CLIENT_ID', text, { fallbackAbout: 'no sign-in with Google', example: '1234567890-abc.apps.googleusercontent.com', about: 'The client id at Google.' }),
  googleClientSecret: signIn('GOOGLE_CLIENT_SECRET', text, { fallbackAbout: 'no sign-in with Google', example: SECRET, about: 'The client secret at Google.' }),
  googleNativeClientIds: signIn('GOOGLE_NATIVE_CLIENT_IDS', list(text), { fallbackAbout: 'no sign-in by the native SDKs', example: '1234567890-ios.apps.googleusercontent.com', about: 'The client ids that the ID tokens of Google\'s native SDKs may be for.' }),
  googleScopes: signIn('GOOGLE_SCOPES', scopes, { fallback: 'openid email profile', example: 'openid email profile https://www.googleapis.com/auth/calendar.readonly', about: 'What Google is asked for.' }),
  googleKeepTokens: signIn('GOOGLE_KEEP_TOKENS', flag, { fallback: 'false', example: 'true', about: KEEP_TOKENS }),
  googleIssuer: signIn('GOOGLE_ISSUER', providerUrl, { fallback: 'https://accounts.google.com', example: 'http://127.0.0.1:4000', about: 'Where Google is; another for tests.' }),

  githubClientId: signIn('GITHUB_CLIENT_ID', text, { fallbackAbout: 'no sign-in with GitHub', example: 'Ov23liAbCdEfGhIjKlMn', about: 'The client id at GitHub.' }),
  githubClientSecret: signIn('GITHUB_CLIENT_SECRET', text, { fallbackAbout: 'no sign-in with GitHub', example: SECRET, about: 'The client secret at GitHub.' }),
  githubScopes: signIn('GITHUB_SCOPES', scopes, { fallback: 'read:user user:email', example: 'read:user user:email repo', about: 'What GitHub is asked for.' }),
  githubKeepTokens: signIn('GITHUB_KEEP_TOKENS', flag, { fallback: 'false', example: 'true', about: KEEP_TOKENS }),
  githubBaseUrl: signIn('GITHUB_BASE_URL', providerUrl, { fallback: 'https://github.com', example: 'https://github.example.com', about: 'Where GitHub\'s pages are: GitHub Enterprise has its own.' }),
  githubApiUrl: signIn('GITHUB_API_URL', providerUrl, { fallback: 'https://api.github.com', example: 'https://github.example.com/api/v3', about: 'Where GitHub\'s API is.' }),

  facebookClientId: signIn('FACEBOOK_CLIENT_ID', text, { fallbackAbout: 'no sign-in with Facebook', example: '1234567890123456', about: 'The app id at Facebook.' }),
  facebookClientSecret: signIn('FACEBOOK_CLIENT_SECRET', text, { fallbackAbout: 'no sign-in with Facebook', example: SECRET, about: 'The app secret at Facebook.' }),
  facebookScopes: signIn('FACEBOOK_SCOPES', scopes, { fallback: 'public_profile email', example: 'public_profile email user_birthday', about: 'What Facebook is asked for.' }),
  facebookKeepTokens: signIn('FACEBOOK_KEEP_TOKENS', flag, { fallback: 'false', example: 'true', about: KEEP_TOKENS }),
  facebookBaseUrl: signIn('FACEBOOK_BASE_URL', providerUrl, { fallback: 'https://www.facebook.com', example: 'http://127.0.0.1:4002', about: 'Where Facebook\'s pages are; another for tests.' }),
  facebookGraphUrl: signIn('FACEBOOK_GRAPH_URL', providerUrl, { fallback: 'https://graph.facebook.com', example: 'http://127.0.0.1:4002', about: 'Where Facebook\'s API is; another for tests.' })
} as const

/** What is said of any other OpenID provider; `<NAME>` in each variable is the provider's own. */
export const openIdSettings = {
  issuer: signIn('OIDC_<NAME>_ISSUER', providerUrl, { fallbackAbout: 'required of each such provider', example: 'https://login.example.com', about: 'The issuer of an OpenID provider, which is then known as `<name>`, in lower case.' }),
  clientId: signIn('OIDC_<NAME>_CLIENT_ID', text, { fallbackAbout: 'required of each such provider', example: 'countersign', about: 'The client id there.' }),
  clientSecret: signIn('OIDC_<NAME>_CLIENT_SECRET', text, { fallbackAbout: 'required of each such provider', example: SECRET, about: 'The client secret there.' }),
  label: signIn('OIDC_<NAME>_LABEL', text, { fallbackAbout: '<name>, its first letter large', example: 'Example Corp', about: 'What people know the provider by.' }),
  scopes: signIn('OIDC_<NAME>_SCOPES', scopes, { fallback: 'openid email profile', example: 'openid email profile groups', about: 'What it is asked for.' }),
  trustEmail: signIn('OIDC_<NAME>_TRUST_EMAIL', flag, { fallback: 'false', example: 'true', about: 'Takes its word that an e-mail address is verified: whoever runs the provider can then sign in to the account of any address.' }),
  keepTokens: signIn('OIDC_<NAME>_KEEP_TOKENS', flag, { fallback: 'false', example: 'true', about: KEEP_TOKENS }),
  nativeClientIds: signIn('OIDC_<NAME>_NATIVE_CLIENT_IDS', list(text), { fallbackAbout: 'no sign-in by native SDKs', example: 'countersign-ios,countersign-android', about: 'The client ids that ID tokens handed over by apps may be for.' })
} as const
