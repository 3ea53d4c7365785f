/** A key that verifies access tokens: one algorithm, one audience. */
export interface VerificationKey {
  readonly kid: string
  readonly alg: string
  /** The only `aud` that a token signed with this key may have. */
  readonly audience: string
  /** The protected header that a Countersign service writes for this key, encoded, with the dot after it. */
  readonly header: string
  /** Whether `signature` (base64url) signs the first `length` characters of `token`. */
  verify (token: string, length: number, signature: string): boolean
}

/** @returns the protected header as a Countersign service writes it, encoded, with the dot after it */
export function encodeHeader (alg: string, kid: string): string {
  return `${Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid })).toString('base64url')}.`
}
