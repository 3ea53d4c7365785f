import { createHmac } from 'node:crypto'
import { createSigningKey, type IdTokenDeps } from '../../support/providers/id-token.ts'

/** An ID token that must be refused, by what differs from a valid one. */
export interface HostileIdToken {
  name: string
  claims?: Readonly<Record<string, unknown>>
  header?: Readonly<Record<string, unknown>>
  key?: IdTokenDeps['key']
  /** Changes the token after it was signed. */
  mangle? (token: string): string
}

/** For tokens that are not changed. */
export const asIs = (token: string): string => token

const now = () => Math.floor(Date.now() / 1000)

/** Tokens that must be refused from any issuer. @param clientSecret also known to the provider */
export function hostileIdTokens ({ clientSecret, jku }: { clientSecret: string, jku: string }): HostileIdToken[] {
  const stranger = createSigningKey('rs')
  return [
    { name: 'for another client', claims: { aud: 'somebody-else' } },
    { name: 'for nobody', claims: { aud: undefined } },
    { name: 'for a list without this client', claims: { aud: ['somebody-else', 'another'] } },
    { name: 'for an empty list', claims: { aud: [] } },
    { name: 'by another issuer', claims: { iss: 'https://evil.example' } },
    { name: 'by an issuer that begins alike', claims: { iss: 'http://127.0.0.1' } },
    { name: 'by no issuer', claims: { iss: undefined } },
    { name: 'expired an hour ago', claims: { iat: now() - 7200, exp: now() - 3600 } },
    { name: 'that never expires', claims: { exp: undefined } },
    { name: 'with a text for its expiry', claims: { exp: '9999999999' } },
    { name: 'without the time it was issued at', claims: { iat: undefined } },
    { name: 'of tomorrow', claims: { iat: now() + 86_400, nbf: now() + 86_400, exp: now() + 90_000 } },
    { name: 'issued tomorrow', claims: { iat: now() + 86_400, exp: now() + 90_000 } },
    { name: 'issued in two minutes', claims: { iat: now() + 120, exp: now() + 600 } },
    { name: 'valid from tomorrow', claims: { nbf: now() + 86_400 } },
    { name: 'of somebody who logs in tomorrow', claims: { auth_time: now() + 86_400 } },
    { name: 'of somebody who logged in at a text', claims: { auth_time: String(now()) } },
    { name: 'that is valid for a year', claims: { exp: now() + 31_536_000 } },
    { name: 'that is valid for ever', claims: { exp: Number.MAX_VALUE } },
    { name: 'that expires before it was issued', claims: { iat: now() + 50, exp: now() + 40 } },
    { name: 'issued at the beginning of time', claims: { iat: -Number.MAX_VALUE } },
    { name: 'with another nonce', claims: { nonce: 'n'.repeat(43) } },
    { name: 'without a nonce', claims: { nonce: undefined } },
    { name: 'with an empty nonce', claims: { nonce: '' } },
    { name: 'with a list for its nonce', claims: { nonce: ['n'] } },
    { name: 'about nobody', claims: { sub: undefined } },
    { name: 'about an empty subject', claims: { sub: '' } },
    { name: 'about a number', claims: { sub: 1234 } },
    { name: 'about an object', claims: { sub: { toString: 'ada' } } },
    { name: 'about a subject beyond all bounds', claims: { sub: 's'.repeat(2000) } },
    { name: 'that is not signed', header: { alg: 'none' } },
    { name: 'that is not signed, in capitals', header: { alg: 'NONE' } },
    { name: 'signed with the public key for a secret', header: { alg: 'HS256' } },
    { name: 'signed with the client secret', header: { alg: 'HS256' }, mangle: token => resign(token, clientSecret) },
    { name: 'signed with another key under the same id', key: stranger },
    { name: 'signed with another key that it brings along', key: stranger, header: { jwk: stranger.privateKey.export({ format: 'jwk' }) } },
    { name: 'signed with a key that it says where to find', key: stranger, header: { jku, x5u: jku } },
    { name: 'under a key id that nobody knows', header: { kid: 'unknown' } },
    { name: 'with an extension that must be understood', header: { crit: ['exp'], exp: 1 } },
    { name: 'whose signature is cut off', mangle: token => token.slice(0, token.lastIndexOf('.') + 1) },
    { name: 'whose claims were changed after signing', mangle: changeClaims },
    { name: 'that is none', mangle: () => 'not.a.token' },
    { name: 'that is empty', mangle: () => '' }
  ]
}

function resign (token: string, secret: string): string {
  const input = token.slice(0, token.lastIndexOf('.'))
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function changeClaims (token: string): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return [header, Buffer.from(JSON.stringify({ ...claims, sub: 'mallory' })).toString('base64url'), signature].join('.')
}
