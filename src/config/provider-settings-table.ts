import { inGroup } from './define-setting.ts'
import { flag, list, providerUrl, redirectTarget, scopes, text } from './parsers.ts'

const signIn = inGroup('Sign-in with providers')

const KEEP_TOKENS = 'Keeps the provider\'s tokens, encrypted, for their owner to fetch.'
const SECRET = '<from the provider>'

/** The settings of signing in with the providers that we know by name. */
export const providerSettings = {
  allowedRedirects: signIn('ALLOWED_REDIRECTS', list(redirectTarget), { defaultDescription: 'PUBLIC_URL with a slash after it', example: 'https://app.example.com/welcome,com.example.app:/callback', description: 'Where people may be sent back to after signing in, compared exactly, at most 512 characters each. The first is where they go when nothing is known of them.' }),

  googleClientId: signIn('GOOGLE_CLIENT_ID', text, { defaultDescription: 'no sign-in with Google', example: '1234567890-abc.apps.googleusercontent.com', description: 'The client id at Google.' }),
  googleClientSecret: signIn('GOOGLE_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with Google', example: SECRET, description: 'The client secret at Google.' }),
  googleNativeClientIds: signIn('GOOGLE_NATIVE_CLIENT_IDS', list(text), { defaultDescription: 'no sign-in by the native SDKs', example: '1234567890-ios.apps.googleusercontent.com', description: 'The client ids that the ID tokens of Google\'s native SDKs may be for.' }),
  googleScopes: signIn('GOOGLE_SCOPES', scopes, { default: 'openid email profile', example: 'openid email profile https://www.googleapis.com/auth/calendar.readonly', description: 'What Google is asked for.' }),
  googleKeepTokens: signIn('GOOGLE_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  googleIssuer: signIn('GOOGLE_ISSUER', providerUrl, { default: 'https://accounts.google.com', example: 'http://127.0.0.1:4000', description: 'Where Google is; another for tests.' }),

  githubClientId: signIn('GITHUB_CLIENT_ID', text, { defaultDescription: 'no sign-in with GitHub', example: 'Ov23liAbCdEfGhIjKlMn', description: 'The client id at GitHub.' }),
  githubClientSecret: signIn('GITHUB_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with GitHub', example: SECRET, description: 'The client secret at GitHub.' }),
  githubScopes: signIn('GITHUB_SCOPES', scopes, { default: 'read:user user:email', example: 'read:user user:email repo', description: 'What GitHub is asked for.' }),
  githubKeepTokens: signIn('GITHUB_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  githubBaseUrl: signIn('GITHUB_BASE_URL', providerUrl, { default: 'https://github.com', example: 'https://github.example.com', description: 'Where GitHub\'s pages are: GitHub Enterprise has its own.' }),
  githubApiUrl: signIn('GITHUB_API_URL', providerUrl, { default: 'https://api.github.com', example: 'https://github.example.com/api/v3', description: 'Where GitHub\'s API is.' }),

  facebookClientId: signIn('FACEBOOK_CLIENT_ID', text, { defaultDescription: 'no sign-in with Facebook', example: '1234567890123456', description: 'The app id at Facebook.' }),
  facebookClientSecret: signIn('FACEBOOK_CLIENT_SECRET', text, { defaultDescription: 'no sign-in with Facebook', example: SECRET, description: 'The app secret at Facebook.' }),
  facebookScopes: signIn('FACEBOOK_SCOPES', scopes, { default: 'public_profile email', example: 'public_profile email user_birthday', description: 'What Facebook is asked for.' }),
  facebookKeepTokens: signIn('FACEBOOK_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  facebookBaseUrl: signIn('FACEBOOK_BASE_URL', providerUrl, { default: 'https://www.facebook.com', example: 'http://127.0.0.1:4002', description: 'Where Facebook\'s pages are; another for tests.' }),
  facebookGraphUrl: signIn('FACEBOOK_GRAPH_URL', providerUrl, { default: 'https://graph.facebook.com', example: 'http://127.0.0.1:4002', description: 'Where Facebook\'s API is; another for tests.' })
} as const

/** What is said of any other OpenID provider; `<NAME>` in each variable is the provider's own. */
export const openIdSettings = {
  issuer: signIn('OIDC_<NAME>_ISSUER', providerUrl, { defaultDescription: 'required of each such provider', example: 'https://login.example.com', description: 'The issuer of an OpenID provider, which is then known as `<name>`, in lower case.' }),
  clientId: signIn('OIDC_<NAME>_CLIENT_ID', text, { defaultDescription: 'required of each such provider', example: 'countersign', description: 'The client id there.' }),
  clientSecret: signIn('OIDC_<NAME>_CLIENT_SECRET', text, { defaultDescription: 'required of each such provider', example: SECRET, description: 'The client secret there.' }),
  label: signIn('OIDC_<NAME>_LABEL', text, { defaultDescription: '<name>, its first letter large', example: 'Example Corp', description: 'What people know the provider by.' }),
  scopes: signIn('OIDC_<NAME>_SCOPES', scopes, { default: 'openid email profile', example: 'openid email profile groups', description: 'What it is asked for.' }),
  trustEmail: signIn('OIDC_<NAME>_TRUST_EMAIL', flag, { default: 'false', example: 'true', description: 'Takes its word that an e-mail address is verified: whoever runs the provider can then sign in to the account of any address.' }),
  keepTokens: signIn('OIDC_<NAME>_KEEP_TOKENS', flag, { default: 'false', example: 'true', description: KEEP_TOKENS }),
  nativeClientIds: signIn('OIDC_<NAME>_NATIVE_CLIENT_IDS', list(text), { defaultDescription: 'no sign-in by native SDKs', example: 'countersign-ios,countersign-android', description: 'The client ids that ID tokens handed over by apps may be for.' })
} as const
