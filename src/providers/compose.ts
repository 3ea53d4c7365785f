import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { ProviderSettings } from '../config/provider-settings.ts'
import type { Database, Log } from '../database/database.ts'
import type { OneTimeTokenStore } from '../one-time-tokens/store.ts'
import type { Mail } from '../mail/compose.ts'
import type { Outbox } from '../outbox/compose.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Presence } from '../sessions/presence.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import type { OpenSession } from '../sessions/open-session.ts'
import { createEncryption } from '../tokens/encryption.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createBulkhead } from './bulkhead.ts'
import { createMobileCodes } from './flow/mobile-codes.ts'
import { createProvider, type ProviderDefinition } from './catalogue/authorization-code.ts'
import { createStartAuthorization } from './flow/start-authorization.ts'
import { createReclaimUnverifiedStore } from './identities/reclaim-unverified-store.ts'
import { createHandleCallback } from './flow/handle-callback.ts'
import { createOpenIdentitySession } from './identities/open-identity-session.ts'
import { facebook } from './catalogue/facebook.ts'
import { createAuthorizationFlows } from './flow/authorization-flows.ts'
import { createFlowAnswersStore } from './flow/flow-answers-store.ts'
import { createFailSignIn } from './flow/sign-in-failure.ts'
import { github } from './catalogue/github.ts'
import { google } from './catalogue/google.ts'
import { createIdentityStore } from './identities/identity-store.ts'
import { createTokenVault } from './tokens/token-vault.ts'
import { createLinkCodes } from './identities/link-codes.ts'
import { createLinkTickets } from './identities/link-tickets.ts'
import { createRecordLinkFailure } from './identities/link-failure-audit.ts'
import { createLinkNotices } from './identities/link-notices.ts'
import { createLinkIdentity } from './identities/link-identity.ts'
import { createIdentityListStore } from './identities/identity-list-store.ts'
import { createGetFreshProviderToken } from './tokens/fresh-provider-token.ts'
import { openId } from './catalogue/openid.ts'
import { createRedirectTargets } from './flow/redirect-targets.ts'
import { createPresentIdentity, createResolveAccount } from './identities/resolve-account.ts'
import { createProviderTokenStore } from './tokens/provider-token-store.ts'

export interface ProvidersDeps {
  config: Config
  /** `PUBLIC_URL`, with what precedes the paths of the routes. */
  baseUrl: string
  database: Database
  tokens: Tokens
  oneTimeTokens: OneTimeTokenStore
  mail: Mail
  outbox: Outbox
  openSession: OpenSession
  findKnownDevices: FindKnownDevices
  ledgerSync: Pick<LedgerSync, 'apply' | 'now'>
  audit: AuditStore
  presence: Presence
  /** Whether an error means "try again later". */
  isUnavailable (error: unknown): boolean
  log: Log
}

/** Composes signing in with providers, and linking their identities. */
export function composeProviders ({ config, baseUrl: serviceUrl, database, tokens, oneTimeTokens, mail, outbox, openSession, findKnownDevices, ledgerSync, audit, presence, isUnavailable, log }: ProvidersDeps) {
  const baseUrl = `${serviceUrl}/auth/providers`
  const providers = new Map(config.providers.map(settings => [settings.id, createProvider(definitionOf(settings, log), `${baseUrl}/${settings.id}/callback`)]))
  const vault = createTokenVault(createEncryption(tokens.ring('provider-token')))
  const flowEncryption = createEncryption(tokens.ring('flow'))
  // The clock that all instances share: another may have begun what this one finishes.
  const now = () => ledgerSync.now() * 1000
  const flows = createAuthorizationFlows(config, flowEncryption, now)
  const mobileCodes = createMobileCodes(oneTimeTokens)
  const linkCodes = createLinkCodes(oneTimeTokens)

  const identities = createIdentityStore(database)
  const presentIdentity = createPresentIdentity(vault)
  const notices = createLinkNotices({ providers, mail, outbox })
  const resolveAccount = createResolveAccount({ identities, reclaimUnverified: createReclaimUnverifiedStore(database), presentIdentity, notices, ledgerSync, requireVerifiedEmail: config.requireVerifiedEmail, audit })
  const openIdentitySession = createOpenIdentitySession(openSession)
  const linkIdentity = createLinkIdentity(identities, notices)
  const recordLinkFailure = createRecordLinkFailure(audit)

  return {
    providers,
    redirectTargets: createRedirectTargets(config.allowedRedirects),
    flows,
    flowAnswers: createFlowAnswersStore(database),
    failSignIn: createFailSignIn({ publicUrl: config.publicUrl, isUnavailable }),
    startAuthorization: createStartAuthorization(flows),
    handleCallback: createHandleCallback({ bulkhead: createBulkhead(), oneTimeTokens, presence, presentIdentity, resolveAccount, openIdentitySession, findKnownDevices, mobileCodes, linkCodes, linkIdentity, recordLinkFailure }),
    mobileCodes,
    resolveAccount,
    openIdentitySession,
    linkTickets: createLinkTickets(flowEncryption, now),
    linkUrl: (provider: string, ticket: string) => `${baseUrl}/${provider}?linking=${ticket}`,
    linkCodes,
    linkIdentity,
    recordLinkFailure,
    identityList: createIdentityListStore(database),
    getFreshProviderToken: createGetFreshProviderToken({ tokens: createProviderTokenStore(database), vault, providers, log })
  }
}

function definitionOf (settings: ProviderSettings, log: Log): ProviderDefinition {
  switch (settings.kind) {
    case 'google': return google(settings, log)
    case 'github': return github(settings)
    case 'facebook': return facebook(settings)
    case 'openid': return openId(settings, log)
  }
}
