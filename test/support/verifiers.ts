import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { createVerifier, InvalidToken, VerifierWarning, type OnStale, type TokenOptions, type Verifier } from 'countersign-verifier'
import { createTokenWriter, type TokenIssuer } from './hostile-tokens.ts'
import type { StandIn } from './stand-in.ts'

/** Whose tokens the tests of verifiers write by hand. */
export const ISSUER: TokenIssuer = { secret: randomBytes(48).toString('base64url'), issuer: 'https://auth.example.com', audience: 'api' }

export const writer = createTokenWriter(ISSUER)

/** A good token of now. */
export const goodToken = (changes: Readonly<Record<string, unknown>> = {}): string => writer.good(Date.now() / 1000, changes)

/** The options of every verifier here. */
export const OPTIONS = { issuer: ISSUER.issuer, audience: ISSUER.audience, secret: ISSUER.secret } satisfies TokenOptions

export const CREDENTIALS = { clientId: 'client_shop', clientSecret: 'a secret' }

/** A verifier that follows the stand-in's feed; closed when the test ends, its warnings kept. */
export function follow (t: Test, service: StandIn, { onStale = 'reject', maxStaleness = 30, ...more }: { onStale?: OnStale, maxStaleness?: number } & Partial<TokenOptions> = {}): Verifier & { warnings: VerifierWarning[] } {
  const verifier = createVerifier({ ...OPTIONS, revocations: { url: service.url('/revocations'), ...CREDENTIALS }, onStale, maxStaleness, ...more })
  return watched(t, verifier)
}

export function watched (t: Test, verifier: Verifier): Verifier & { warnings: VerifierWarning[] } {
  t.teardown(() => verifier.close())
  const warnings: VerifierWarning[] = []
  verifier.events.on('warning', warning => warnings.push(warning))
  return { ...verifier, warnings }
}

/** Why a token is refused, `undefined` where it is not. Anything thrown that is no refusal is thrown on. */
export function refusal (verify: () => unknown): string | undefined {
  try {
    verify()
  } catch (error) {
    return reasonOf(error)
  }
}

/** The same of what may need asking. */
export async function lateRefusal (verify: () => unknown): Promise<string | undefined> {
  try {
    await verify()
  } catch (error) {
    return reasonOf(error)
  }
}

function reasonOf (error: unknown): string {
  if (error instanceof InvalidToken) return error.reason
  throw error
}
