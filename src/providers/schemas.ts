import { Type } from 'typebox'

export const RedirectTo = Type.String({ maxLength: 2048, description: 'The URL to redirect to afterwards. It must be one of `ALLOWED_REDIRECTS`, exactly; the default is the first.', examples: ['https://app.example.com/welcome'] })

export const CodeChallenge = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'The PKCE challenge, base64url(SHA-256(verifier)), of a random verifier that the app keeps (RFC 7636)', examples: ['E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'] })

/** The one-time code that a mobile app got at its `redirectTo`. */
export const OneTimeCode = Type.String({ minLength: 1, maxLength: 128, examples: ['SplxlOBeZQQYbYS6WxSbIAcT3mD9xZC0qhQ6v8yqk1s'] })

/** The PKCE verifier of the app's `codeChallenge` (RFC 7636). */
export const CodeVerifier = Type.String({ pattern: '^[A-Za-z0-9._~-]{43,128}$', examples: ['dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'] })

export const EXAMPLE_EXCHANGE = { code: 'SplxlOBeZQQYbYS6WxSbIAcT3mD9xZC0qhQ6v8yqk1s', codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' }

/** A redirect response. */
export function Redirect (description: string) {
  return Type.Null({ description, headers: { Location: Type.String({ examples: ['https://app.example.com/welcome'] }) } })
}

/** An HTML response. */
export function Html (description: string) {
  return { description, content: { 'text/html': { schema: Type.String(), example: '<!doctype html>…' } } }
}
