import type { ClientCredentials } from '../types.ts'

/** @returns a function that gives the value of the Authorization header, for each request anew */
export function createAuthorization ({ clientId, clientSecret, token }: ClientCredentials): () => Promise<string> {
  if (token !== undefined) return async () => `Bearer ${await token()}`
  // Both are form-encoded first (RFC 6749 §2.3.1): an id may contain a colon.
  const pair = [clientId, clientSecret].map(text => new URLSearchParams({ text }).toString().slice('text='.length)).join(':')
  const basic = `Basic ${Buffer.from(pair).toString('base64')}`
  return async () => basic
}
