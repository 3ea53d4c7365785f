/** How this verifier shows the service who it is: as an OAuth client with its secret, or by an access token of its own. */
export type ClientCredentials =
  | { readonly clientId: string, readonly clientSecret: string, readonly token?: undefined }
  | { readonly token: () => string | Promise<string>, readonly clientId?: undefined, readonly clientSecret?: undefined }

/** @returns what makes the value of an Authorization header, anew each time */
export function createAuthorization ({ clientId, clientSecret, token }: ClientCredentials): () => Promise<string> {
  if (token !== undefined) return async () => `Bearer ${await token()}`
  // Each is form-encoded first (RFC 6749 §2.3.1): an id may hold a colon.
  const pair = [clientId, clientSecret].map(text => new URLSearchParams({ text }).toString().slice('text='.length)).join(':')
  const basic = `Basic ${Buffer.from(pair).toString('base64')}`
  return async () => basic
}
