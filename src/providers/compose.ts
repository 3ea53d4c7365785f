import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { ProviderSettings } from '../config/provider-settings.ts'
import type { Database, Log } from '../database/database.ts'
import type { OneTimeTokenStore } from '../one-time-tokens/store.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { Presence } from '../sessions/presence.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import type { OpenSession } from '../sessions/open-session.ts'
import { createEncryption } from '../tokens/encryption.ts'
import type { Tokens } from '../tokens/compose.ts'
import { createMobileCodes } from './flow/mobile-codes.ts'
import { createProvider, type ProviderDefinition } from './catalogue/authorization-code.ts'
import { createStartAuthorization } from './flow/start-authorization.ts'
import { createReclaimUnverifiedStore } from './identities/reclaim-unverified-store.ts'
import { createHandleCallback } from './flow/handle-callback.ts'
import { createOpenIdentitySession } from './identities/open-identity-session.ts'
import { facebook } from './catalogue/facebook.ts'
import { createAuthorizationFlows } from './flow/authorization-flows.ts'
import { github } from './catalogue/github.ts'
import { google } from './catalogue/google.ts'
import { createIdentityStore } from './identities/identity-store.ts'
import { createTokenVault } from './tokens/token-vault.ts'
import { createLinkCodes } from './identities/link-codes.ts'
import { createLinkTickets } from './identities/link-tickets.ts'
import { createLinkIdentity } from './identities/link-identity.ts'
import { createIdentityListStore } from './identities/identity-list-store.ts'
import { createGetFreshProviderToken } from './tokens/fresh-provider-token.ts'
import { openId } from './catalogue/openid.ts'
import { createRedirectTargets } from './flow/redirect-targets.ts'
import { createPresentIdentity, createResolveAccount } from './identities/resolve-account.ts'
import { createProviderTokenStore } from './tokens/provider-token-store.ts'

export interface ProvidersDeps {
  config: Config
  /** The prefix of the routes' paths. */
  prefix: string
  database: Database
  tokens: Tokens
  oneTimeTokens: OneTimeTokenStore
  openSession: OpenSession
  sendLogin: SendLogin
  ledgerSync: Pick<LedgerSync, 'apply'>
  audit: AuditStore
  presence: Presence
  log: Log
}

/** Composes signing in with providers, and linking their identities. */
export function composeProviders ({ config, prefix, database, tokens, oneTimeTokens, openSession, sendLogin, ledgerSync, audit, presence, log }: ProvidersDeps) {
  const baseUrl = `${config.publicUrl}${prefix}/auth/providers`
  const providers = new Map(config.providers.map(settings => [settings.id, createProvider(definitionOf(settings, log), `${baseUrl}/${settings.id}/callback`)]))
  const vault = createTokenVault(createEncryption(tokens.ring('provider-token')))
  const flowEncryption = createEncryption(tokens.ring('flow'))
  const flows = createAuthorizationFlows(config, flowEncryption)
  const mobileCodes = createMobileCodes(oneTimeTokens)
  const linkCodes = createLinkCodes(oneTimeTokens)

  const identities = createIdentityStore(database)
  const presentIdentity = createPresentIdentity(vault)
  const resolveAccount = createResolveAccount({ identities, reclaimUnverified: createReclaimUnverifiedStore(database), presentIdentity, ledgerSync, audit })
  const openIdentitySession = createOpenIdentitySession(openSession)
  const linkIdentity = createLinkIdentity(identities)

  return {
    providers,
    redirectTargets: createRedirectTargets(config.allowedRedirects),
    flows,
    startAuthorization: createStartAuthorization(flows),
    handleCallback: createHandleCallback({ oneTimeTokens, presence, presentIdentity, resolveAccount, openIdentitySession, sendLogin, mobileCodes, linkCodes, linkIdentity, audit }),
    mobileCodes,
    resolveAccount,
    openIdentitySession,
    linkTickets: createLinkTickets(flowEncryption),
    linkUrl: (provider: string, ticket: string) => `${baseUrl}/${provider}?linking=${ticket}`,
    linkCodes,
    linkIdentity,
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
