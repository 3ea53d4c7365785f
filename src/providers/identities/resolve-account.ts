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

/** Finds the account of somebody who has come back from a provider, or makes it. */
export type ResolveAccount = (provider: Provider, arrival: ProviderResult, client: ClientInfo) => Promise<AccountLink>

export interface ResolveAccountDeps {
  identities: IdentityStore
  claims: ReclaimUnverifiedStore
  present: PresentIdentity
  propagation: Pick<LedgerSync, 'apply'>
  audit: AuditStore
}

/** Writes an arrival as the identity that it is. */
export type PresentIdentity = (provider: Provider, arrival: ProviderResult) => PresentedIdentity

// Each turn is lost only to a request that changed the same account at that moment.
const TURNS = 5
const LONGEST_NAME = 200

/**
 * An identity is its issuer and subject. An e-mail address only ever leads to an account where the account's is
 * verified, and verified anew by a provider whose word is taken; or to take an account away from somebody who never
 * showed that its address is theirs.
 */
export function createResolveAccount ({ identities, claims, present, propagation, audit }: ResolveAccountDeps): ResolveAccount {
  return async function signIn (provider, arrival, client) {
    const identity = present(provider, arrival)
    for (let turn = 0; turn < TURNS; turn++) {
      const entry = await identities.recognise(identity) ?? await admit(provider, arrival.profile, identity, client)
      if (entry?.isDisabled === true) return await refuse('account_disabled', entry.userId, provider, client)
      if (entry !== undefined) return entry
    }
    throw new Problem('unavailable')
  }

  async function admit (provider: Provider, profile: Profile, identity: PresentedIdentity, client: ClientInfo): Promise<AccountLink | undefined> {
    const { email, isProven } = identity
    if (email === null) throw new Problem('email_required')
    const name = nameOf(profile)
    const holder = await identities.findHolder(email)
    if (holder === undefined) return await identities.createAccount(identity, { email, emailVerified: isProven, name }, client)
    if (!isProven) return await refuse('account_exists', holder.id, provider, client)
    if (holder.isDisabled) return await refuse('account_disabled', holder.id, provider, client)
    if (holder.emailVerified) return await identities.linkByEmail(identity, { id: holder.id, email }, client)
    // An account with rights is for nobody to take over by an address: whoever made it answers for it.
    if (holder.role !== 'user') return await refuse('account_exists', holder.id, provider, client)
    return await claim({ id: holder.id, email, name }, identity, client)
  }

  async function claim (account: { id: string, email: string, name: string | null }, identity: PresentedIdentity, client: ClientInfo): Promise<AccountLink | undefined> {
    const claimed = await claims.reclaim(account, identity, client)
    if (claimed === undefined) return undefined
    propagation.apply(claimed.revocations)
    return { userId: account.id, identityId: claimed.identityId, isDisabled: false }
  }

  async function refuse (code: 'account_disabled' | 'account_exists', userId: string, { id }: Provider, client: ClientInfo): Promise<never> {
    await audit.record({ action: 'login', outcome: 'failure', subjectId: userId, detail: { provider: id, code }, ...client })
    throw new Problem(code)
  }
}

export function createPresentIdentity (vault: TokenVault): PresentIdentity {
  return ({ id, trustsEmail, keepsTokens }, { profile, tokens }) => ({
    provider: id,
    issuer: profile.issuer,
    subject: profile.subject,
    email: profile.email !== null && isEmailAddress(profile.email) ? normaliseEmail(profile.email) : null,
    emailVerified: profile.emailVerified,
    isProven: trustsEmail && profile.emailVerified && isItself(profile.email),
    tokens: keepsTokens && tokens !== undefined ? vault.lock(profile, tokens) : null,
    keepsTokens
  })
}

// What NFKC makes another address of was verified as the mailbox that it says, and not as the one that it becomes.
function isItself (email: string | null): boolean {
  const text = email?.trim()
  return text !== undefined && text.normalize('NFKC') === text
}

function nameOf ({ name }: Profile): string | null {
  const text = name?.replace(/[\p{Cc}\p{Surrogate}]/gu, '').trim().slice(0, LONGEST_NAME) ?? ''
  return text === '' ? null : text
}
