import { createHmacKey, MAX_TOKEN_BYTES, type VerificationKey } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import { deriveAudienceKeys, type Audience } from './audience-keys.ts'
import type { AudienceStore } from './audience-store.ts'
import type { JwtSigner, Sign } from './jwt-signer.ts'

/** An audience, and its keys. */
export interface TokenAudience {
  readonly name: string
  readonly sign: Sign
  readonly keys: readonly VerificationKey[]
}

/** The service's own audience, and those of registered clients. */
export interface Audiences {
  readonly own: TokenAudience
  /** @throws Problem 422 `unknown_audience` */
  find (name: string): Promise<TokenAudience>
  /** The audience of an unverified token; `undefined` if it does not exist. */
  claimedBy (token: string): Promise<TokenAudience | undefined>
}

export interface AudiencesDeps {
  own: TokenAudience
  store: AudienceStore
  signer: JwtSigner
  secrets: readonly string[]
  issuer: string
}

/**
 * Every other audience has its own HS256 key, whatever algorithm the service itself signs with. It is all that the client
 * needs to verify tokens, and it can forge tokens for its own audience only.
 */
export function createAudiences ({ own, store, signer, secrets, issuer }: AudiencesDeps): Audiences {
  function derive ({ name, keyVersion }: Audience): TokenAudience {
    // Tokens of the previous key stay valid until they expire. Their seal proves that this service issued them.
    const texts = [keyVersion, keyVersion - 1].flatMap(version => deriveAudienceKeys(secrets, { name, keyVersion: version }))
    const keys = texts.map(text => createHmacKey(text, issuer, name))
    const [[secret], [key]] = [texts, keys]
    if (secret === undefined || key === undefined) throw new Error('COUNTERSIGN_SECRET holds no secret')
    return { name, keys, sign: signer.withSecret({ kid: key.kid, secret }) }
  }

  async function lookUp (name: string): Promise<TokenAudience | undefined> {
    if (name === own.name) return own
    const audience = await store.find(name)
    return audience && derive(audience)
  }

  return {
    own,
    async find (name) {
      const audience = await lookUp(name)
      if (audience === undefined) throw new Problem('unknown_audience')
      return audience
    },
    async claimedBy (token) {
      const name = readAudience(token)
      return name === undefined ? undefined : await lookUp(name)
    }
  }
}

function readAudience (token: string): string | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown }
    // PostgreSQL's text cannot contain NUL.
    return typeof aud === 'string' && !aud.includes('\0') ? aud : undefined
  } catch {
    return undefined
  }
}
