import { createHmacKey, MAX_TOKEN_BYTES, type VerificationKey } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import { deriveAudienceKeys, type Audience } from './audience-keys.ts'
import type { AudienceStore } from './audience-store.ts'
import type { JwtSigner, Sign } from './jwt-signer.ts'

/** An audience, and the keys that are for it alone. */
export interface TokenAudience {
  readonly name: string
  readonly sign: Sign
  readonly keys: readonly VerificationKey[]
}

/** Whom tokens can be for: the service's own audience, and those of registered clients. */
export interface Audiences {
  readonly own: TokenAudience
  /** @throws Problem 422 `unknown_audience` */
  find (name: string): Promise<TokenAudience>
  /** The audience that a token claims to be for, before any of it is believed; `undefined` where there is none such. */
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
 * An audience that is not the service's own has an HS256 key of its own, whatever the service signs with: its holder
 * needs nothing else to verify with, and can forge for itself alone.
 */
export function createAudiences ({ own, store, signer, secrets, issuer }: AudiencesDeps): Audiences {
  function derive ({ name, keyVersion }: Audience): TokenAudience {
    // What the key before signed is good until it expires: its seal shows that it was signed here.
    const texts = [keyVersion, keyVersion - 1].flatMap(version => deriveAudienceKeys(secrets, { name, keyVersion: version }))
    const keys = texts.map(text => createHmacKey(text, issuer, name))
    const [[secret], [key]] = [texts, keys]
    if (secret === undefined || key === undefined) throw new Error('COUNTERSIGN_SECRET holds no secret')
    return { name, keys, sign: signer.withSecret({ kid: key.kid, secret }) }
  }

  async function seek (name: string): Promise<TokenAudience | undefined> {
    if (name === own.name) return own
    const audience = await store.find(name)
    return audience && derive(audience)
  }

  return {
    own,
    async find (name) {
      const audience = await seek(name)
      if (audience === undefined) throw new Problem('unknown_audience')
      return audience
    },
    async claimedBy (token) {
      const name = readAudience(token)
      return name === undefined ? undefined : await seek(name)
    }
  }
}

function readAudience (token: string): string | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud?: unknown }
    // Postgres has no text with a NUL in it.
    return typeof aud === 'string' && !aud.includes('\0') ? aud : undefined
  } catch {
    return undefined
  }
}
