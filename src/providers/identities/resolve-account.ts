import type { AuditStore } from '../../audit/store.ts'
import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { isEmailAddress, normaliseEmail } from '../../http/email-address.ts'
import type { LedgerSync } from '../../revocation/ledger-sync.ts'
import type { ReclaimUnverifiedStore } from './reclaim-unverified-store.ts'
import type { AccountLink, IdentityStore, PresentedIdentity } from './identity-store.ts'
import type { TokenVault } from '../tokens/token-vault.ts'
import type { Profile } from '../profile.ts'
import type { ProviderResult, Provider } from '../provider.ts'

export interface ResolveAccountDeps {
  identities: IdentityStore
  reclaimUnverified: ReclaimUnverifiedStore
  presentIdentity: PresentIdentity
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

export type ResolveAccount = ReturnType<typeof createResolveAccount>
export type PresentIdentity = ReturnType<typeof createPresentIdentity>

// An attempt fails only when another request changed the same account at that moment.
const MAX_ATTEMPTS = 5
const MAX_NAME_LENGTH = 200

/**
 * Finds or creates the account of a user who comes back from a provider.
 *
 * An identity is its issuer and subject. An e-mail address leads to an account only where the account's address is
 * verified, and a provider that is trusted for e-mail verifies it again; or to reclaim an account from somebody who never
 * proved that the address is theirs.
 */
export function createResolveAccount ({ identities, reclaimUnverified, presentIdentity, ledgerSync, audit }: ResolveAccountDeps) {
  async function linkOrCreate (provider: Provider, profile: Profile, identity: PresentedIdentity, client: ClientInfo): Promise<AccountLink | undefined> {
    const { email, isProven } = identity
    if (email === null) throw new Problem('email_required')
    const name = nameOf(profile)
    const account = await identities.findAccountByEmail(email)
    if (account === undefined) return await identities.createAccount({ ...identity, email }, name, client)
    if (!isProven) return await refuse('account_exists', account.id, provider, client)
    if (account.isDisabled) return await refuse('account_disabled', account.id, provider, client)
    if (account.emailVerified) return await identities.linkByEmail({ ...identity, email }, account.id, client)
    // An e-mail address alone must never give access to an admin's account.
    if (account.role !== 'user') return await refuse('account_exists', account.id, provider, client)
    return await reclaim(account.id, { ...identity, email }, name, client)
  }

  async function reclaim (userId: string, identity: PresentedIdentity & { email: string }, name: string | null, client: ClientInfo): Promise<AccountLink | undefined> {
    const reclaimed = await reclaimUnverified.reclaim(userId, identity, name, client)
    if (reclaimed === undefined) return undefined
    ledgerSync.apply(reclaimed.revocations)
    return { userId, identityId: reclaimed.identityId, isDisabled: false }
  }

  async function refuse (code: 'account_disabled' | 'account_exists', userId: string, { id }: Provider, client: ClientInfo): Promise<never> {
    await audit.record({ action: 'login', outcome: 'failure', subjectId: userId, detail: { provider: id, code }, ...client })
    throw new Problem(code)
  }

  return async function resolveAccount (provider: Provider, result: ProviderResult, client: ClientInfo): Promise<AccountLink> {
    const identity = presentIdentity(provider, result)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const link = await identities.recordUse(identity) ?? await linkOrCreate(provider, result.profile, identity, client)
      if (link?.isDisabled === true) return await refuse('account_disabled', link.userId, provider, client)
      if (link !== undefined) return link
    }
    throw new Problem('unavailable')
  }
}

/** @returns a function that turns a provider's result into an identity, with encrypted tokens if they are to be stored */
export function createPresentIdentity (vault: TokenVault) {
  return ({ id, trustsEmail, keepsTokens }: Provider, { profile, tokens }: ProviderResult): PresentedIdentity => ({
    provider: id,
    issuer: profile.issuer,
    subject: profile.subject,
    email: profile.email !== null && isEmailAddress(profile.email) ? normaliseEmail(profile.email) : null,
    emailVerified: profile.emailVerified,
    isProven: trustsEmail && profile.emailVerified && isNfkc(profile.email),
    tokens: keepsTokens && tokens !== undefined ? vault.encrypt(profile, tokens) : null,
    keepsTokens
  })
}

// If NFKC changes an address, the provider verified another mailbox than the one that the normalised address names.
function isNfkc (email: string | null): boolean {
  const text = email?.trim()
  return text !== undefined && text.normalize('NFKC') === text
}

function nameOf ({ name }: Profile): string | null {
  const text = name?.replace(/[\p{Cc}\p{Surrogate}]/gu, '').trim().slice(0, MAX_NAME_LENGTH) ?? ''
  return text === '' ? null : text
}
