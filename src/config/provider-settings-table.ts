import { inGroup } from './define-setting.ts'
import { flag, list, providerUrl, redirectTarget, scopes, text } from './parsers.ts'

const signIn = inGroup('Sign-in with providers')

const KEEP_TOKENS = 'Stores the provider\'s tokens, encrypted, for their owner to fetch.'
const SECRET = '<from the provider>'

/** The settings of sign-in with the built-in providers. */
export const providerSettings = {
  allowedRedirects: signIn('ALLOWED_REDIRECTS', list(redirectTarget), { defaultDescription: 'PUBLIC_URL with a slash after it', example: 'https://app.example.com/welcome,com.example.app:/callback', description: 'The allowed redirect targets after signing in, compared exactly, at most 512 characters each. The first is the default.' }),

  googleClientId: signIn('GOOGLE_CLIENT_ID', text, { defaultDescription: 'no sign-in with Google', example: '1234567890-abc.apps.googleusercontent.com', description: 'The client id at Google.' }),
  googleClientSecret: signIn('GOOGLE_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with Google', example: SECRET, description: 'The client secret at Google.' }),
  googleNativeClientIds: signIn('GOOGLE_NATIVE_CLIENT_IDS', list(text), { defaultDescription: 'no sign-in by the native SDKs', example: '1234567890-ios.apps.googleusercontent.com', description: 'The client ids that ID tokens from Google\'s native SDKs may be issued to.' }),
  googleScopes: signIn('GOOGLE_SCOPES', scopes, { default: 'openid email profile', example: 'openid email profile https://www.googleapis.com/auth/calendar.readonly', description: 'The scopes requested from Google.' }),
  googleKeepTokens: signIn('GOOGLE_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  googleIssuer: signIn('GOOGLE_ISSUER', providerUrl, { default: 'https://accounts.google.com', example: 'http://127.0.0.1:4000', description: 'The issuer of Google. Change it for tests only.' }),

  githubClientId: signIn('GITHUB_CLIENT_ID', text, { defaultDescription: 'no sign-in with GitHub', example: 'Ov23liAbCdEfGhIjKlMn', description: 'The client id at GitHub.' }),
  githubClientSecret: signIn('GITHUB_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with GitHub', example: SECRET, description: 'The client secret at GitHub.' }),
  githubScopes: signIn('GITHUB_SCOPES', scopes, { default: 'read:user user:email', example: 'read:user user:email repo', description: 'The scopes requested from GitHub.' }),
  githubKeepTokens: signIn('GITHUB_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  githubBaseUrl: signIn('GITHUB_BASE_URL', providerUrl, { default: 'https://github.com', example: 'https://github.example.com', description: 'The URL of GitHub. GitHub Enterprise has its own.' }),
  githubApiUrl: signIn('GITHUB_API_URL', providerUrl, { default: 'https://api.github.com', example: 'https://github.example.com/api/v3', description: 'The URL of GitHub\'s API.' }),

  facebookClientId: signIn('FACEBOOK_CLIENT_ID', text, { defaultDescription: 'no sign-in with Facebook', example: '1234567890123456', description: 'The app id at Facebook.' }),
  facebookClientSecret: signIn('FACEBOOK_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with Facebook', example: SECRET, description: 'The app secret at Facebook.' }),
  facebookScopes: signIn('FACEBOOK_SCOPES', scopes, { default: 'public_profile email', example: 'public_profile email user_birthday', description: 'The scopes requested from Facebook.' }),
  facebookKeepTokens: signIn('FACEBOOK_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  facebookBaseUrl: signIn('FACEBOOK_BASE_URL', providerUrl, { default: 'https://www.facebook.com', example: 'http://127.0.0.1:4002', description: 'The URL of Facebook. Change it for tests only.' }),
  facebookGraphUrl: signIn('FACEBOOK_GRAPH_URL', providerUrl, { default: 'https://graph.facebook.com', example: 'http://127.0.0.1:4002', description: 'The URL of Facebook\'s API. Change it for tests only.' })
} as const

/** The settings of any other OpenID provider; `<NAME>` in each variable is the provider's name. */
export const openIdSettings = {
  issuer: signIn('OIDC_<NAME>_ISSUER', providerUrl, { defaultDescription: 'required of each such provider', example: 'https://login.example.com', description: 'The issuer of an OpenID provider, whose name in URLs is `<name>`, in lower case.' }),
  clientId: signIn('OIDC_<NAME>_CLIENT_ID', text, { defaultDescription: 'required of each such provider', example: 'countersign', description: 'The client id at the provider.' }),
  clientSecret: signIn('OIDC_<NAME>_CLIENT_SECRET', text, { defaultDescription: 'required of each such provider', example: SECRET, description: 'The client secret at the provider.' }),
  label: signIn('OIDC_<NAME>_LABEL', text, { defaultDescription: '<name>, capitalised', example: 'Example Corp', description: 'The name that users see.' }),
  scopes: signIn('OIDC_<NAME>_SCOPES', scopes, { default: 'openid email profile', example: 'openid email profile groups', description: 'The scopes requested from the provider.' }),
  trustEmail: signIn('OIDC_<NAME>_TRUST_EMAIL', flag, { default: 'false', example: 'true', description: 'Trusts the provider\'s `email_verified`: its operator can then sign in to the account of any address.' }),
  keepTokens: signIn('OIDC_<NAME>_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  nativeClientIds: signIn('OIDC_<NAME>_NATIVE_CLIENT_IDS', list(text), { defaultDescription: 'no sign-in by native SDKs', example: 'countersign-ios,countersign-android', description: 'The client ids that ID tokens from native SDKs may be issued to.' })
} as const
