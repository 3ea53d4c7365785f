import type { AuditStore } from '../../audit/store.ts'
import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { isEmailAddress, normaliseEmail } from '../../http/email-address.ts'
import type { LedgerSync } from '../../revocation/ledger-sync.ts'
import type { ReclaimUnverifiedStore } from './reclaim-unverified-store.ts'
import type { LinkNotices } from './link-notices.ts'
import type { AccountLink, IdentityStore, PresentedIdentity } from './identity-store.ts'
import type { TokenVault } from '../tokens/token-vault.ts'
import type { Profile } from '../profile.ts'
import type { ProviderResult, Provider } from '../provider.ts'

export interface ResolveAccountDeps {
  identities: IdentityStore
  reclaimUnverified: ReclaimUnverifiedStore
  presentIdentity: PresentIdentity
  notices: LinkNotices
  ledgerSync: Pick<LedgerSync, 'apply'>
  /** Whether accounts are for verified addresses only. */
  requireVerifiedEmail: boolean
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
export function createResolveAccount ({ identities, reclaimUnverified, presentIdentity, notices, ledgerSync, requireVerifiedEmail, audit }: ResolveAccountDeps) {
  async function linkOrCreate (provider: Provider, profile: Profile, identity: PresentedIdentity, client: ClientInfo): Promise<AccountLink | undefined> {
    const { email, isProven } = identity
    if (email === null) {
      const link = await lookAgain(identity)
      if (link === undefined) throw new Problem('email_required')
      return link
    }
    const name = nameOf(profile)
    const account = await identities.findAccountByEmail(email)
    if (account === undefined && requireVerifiedEmail && !isProven) return await lookAgain(identity) ?? refuse('email_unverified', undefined, provider, client)
    if (account === undefined) return await create({ ...identity, email }, name, provider, client)
    if (!isProven) return await lookAgain(identity) ?? refuse('account_exists', account.id, provider, client)
    if (account.isDisabled) return await lookAgain(identity) ?? refuse('account_disabled', account.id, provider, client)
    if (account.emailVerified && account.isToBeDeleted) return await lookAgain(identity) ?? refuse('account_deletion_scheduled', account.id, provider, client)
    if (account.emailVerified) return await linkByEmail(account.id, { ...identity, email }, client)
    // An e-mail address alone must never give access to an admin's account.
    if (account.role !== 'user') return await lookAgain(identity) ?? refuse('account_exists', account.id, provider, client)
    return await reclaim(account.id, { ...identity, email }, name, client)
  }

  async function linkByEmail (userId: string, identity: PresentedIdentity & { email: string }, client: ClientInfo): Promise<AccountLink | undefined> {
    const link = await identities.linkByEmail(identity, userId, client, notices.linked(identity.provider))
    if (link !== undefined) notices.wake()
    return link
  }

  async function create (identity: PresentedIdentity & { email: string }, name: string | null, provider: Provider, client: ClientInfo): Promise<AccountLink | undefined> {
    const created = await identities.createAccount(identity, name, client)
    if (created !== undefined) return created
    const holder = await identities.findHolder(identity.email)
    return holder === undefined ? undefined : await lookAgain(identity) ?? refuse('account_exists', holder, provider, client)
  }

  // Between the two looks, another sign-in of the same person may have created the account, and linked the identity to it.
  async function lookAgain (identity: PresentedIdentity): Promise<AccountLink | undefined> {
    return await identities.recordUse(identity)
  }

  async function reclaim (userId: string, identity: PresentedIdentity & { email: string }, name: string | null, client: ClientInfo): Promise<AccountLink | undefined> {
    const reclaimed = await reclaimUnverified.reclaim(userId, identity, name, client)
    if (reclaimed === undefined) return undefined
    ledgerSync.apply(reclaimed.revocations)
    return { userId, identityId: reclaimed.identityId, isDisabled: false, isToBeDeleted: false }
  }

  function refuse (code: 'account_disabled' | 'account_deletion_scheduled' | 'account_exists' | 'email_unverified', userId: string | undefined, { id }: Provider, client: ClientInfo): never {
    audit.recordRepeatable({ action: 'login', outcome: 'failure', subjectId: userId, detail: { provider: id, code }, ...client })
    throw new Problem(code)
  }

  /**
   * @param use what the account is for; it returns `undefined` when it finds that the account was disabled or deleted, or the
   * identity unlinked, since it was resolved: then the account is resolved anew
   */
  return async function resolveAccount<Used> (provider: Provider, result: ProviderResult, client: ClientInfo, use: (link: AccountLink) => Promise<Used | undefined>): Promise<Used> {
    const identity = presentIdentity(provider, result)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const link = await identities.recordUse(identity) ?? await linkOrCreate(provider, result.profile, identity, client)
      if (link?.isDisabled === true) return refuse('account_disabled', link.userId, provider, client)
      if (link?.isToBeDeleted === true) return refuse('account_deletion_scheduled', link.userId, provider, client)
      if (link?.isUnverified === true && requireVerifiedEmail) return refuse('email_unverified', link.userId, provider, client)
      const used = link && await use(link)
      if (used !== undefined) return used
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
    isProven: trustsEmail && profile.emailVerified && isWrittenPlainly(profile.email),
    tokens: keepsTokens && tokens !== undefined ? vault.encrypt(profile, tokens) : null,
    keepsTokens
  })
}

// If NFKC changes an address, the provider verified another mailbox than the one that the normalised address names. The same
// may hold for a domain with a character that the two versions of IDNA map to different domains (UTS #46 §2.3).
function isWrittenPlainly (email: string | null): boolean {
  const text = email?.trim()
  return text !== undefined && text.normalize('NFKC') === text && !/[ßẞςΣ]/.test(text.slice(text.lastIndexOf('@')))
}

function nameOf ({ name }: Profile): string | null {
  const text = name?.replace(/[\p{Cc}\p{Surrogate}]/gu, '').trim().slice(0, MAX_NAME_LENGTH) ?? ''
  return text === '' ? null : text
}
