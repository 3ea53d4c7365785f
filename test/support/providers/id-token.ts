import { createHmac, createPublicKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import { rsaKeyPair } from '../rsa-keys.ts'

/** A key that signs ID tokens with RS256. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
}

export function createSigningKey (kid: string): SigningKey {
  return { kid, privateKey: rsaKeyPair().privateKey }
}

/** The key as a JWK (RFC 7517), its private part too. */
export function toPrivateJwk ({ kid, privateKey }: SigningKey): JsonWebKey & { kid: string } {
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
}

export function toPublicJwk ({ kid, privateKey }: SigningKey): JsonWebKey & { kid: string } {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
}

/** How an ID token is written: its claims, and whatever is to be wrong with it. */
export interface IdTokenDeps {
  claims: Readonly<Record<string, unknown>>
  header?: Readonly<Record<string, unknown>>
  key: SigningKey
}

/** Writes an ID token by hand. The header decides how it is signed: `none` is not, `HS256` is by the public key's PEM. */
export function writeIdToken ({ claims, header = {}, key }: IdTokenDeps): string {
  const fullHeader: Record<string, unknown> = { alg: 'RS256', typ: 'JWT', kid: key.kid, ...header }
  const input = `${encode(fullHeader)}.${encode(claims)}`
  return `${input}.${signature(String(fullHeader.alg), input, key)}`
}

export function readIdToken (token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

function signature (alg: string, input: string, { privateKey }: SigningKey): string {
  if (alg === 'RS256') return sign('sha256', Buffer.from(input), privateKey).toString('base64url')
  if (alg !== 'HS256') return ''
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
  return createHmac('sha256', pem).update(input).digest('base64url')
}

function encode (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
