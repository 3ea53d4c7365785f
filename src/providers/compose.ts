import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { ProviderSettings } from '../config/provider-settings.ts'
import type { Database, Log } from '../database/database.ts'
import { createFlowCookies } from './flow/flow-cookies.ts'
import type { OneTimeTokenStore } from '../one-time-tokens/store.ts'
import type { RevocationState } from '../revocation/compose.ts'
import type { Presence } from '../sessions/presence.ts'
import type { Sessions } from '../sessions/compose.ts'
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
  /** Stands before the paths of the routes. */
  prefix: string
  database: Database
  tokens: Tokens
  sessions: Pick<Sessions, 'openSession' | 'sendLogin'>
  oneTime: OneTimeTokenStore
  revocation: Pick<RevocationState, 'apply'>
  audit: AuditStore
  presence: Presence
  log: Log
}

/** Everything the service does with providers. */
export function composeProviders ({ config, prefix, database, tokens, sessions, oneTime, revocation, audit, presence, log }: ProvidersDeps) {
  const providers = new Map(config.providers.map(settings => [settings.id, createProvider(peculiaritiesOf(settings, log), `${config.publicUrl}${prefix}/auth/providers/${settings.id}/callback`)]))
  const vault = createTokenVault(createEncryption(tokens.ring('provider-token')))
  const encryption = createEncryption(tokens.ring('flow'))
  const flows = createAuthorizationFlows(createFlowCookies(config), encryption)

  const identities = createIdentityStore(database)
  const linked = createIdentityListStore(database)
  const present = createPresentIdentity(vault)
  const signIn = createResolveAccount({ identities, claims: createReclaimUnverifiedStore(database), present, propagation: revocation, audit })
  const enter = createOpenIdentitySession(sessions.openSession)
  const linkIdentity = createLinkIdentity(identities)
  const codes = createMobileCodes(oneTime)
  const linkCodes = createLinkCodes(oneTime)

  return {
    providers,
    redirects: createRedirectTargets(config.allowedRedirects),
    flows,
    oneTime,
    codes,
    signIn,
    enter,
    audit,
    linkIdentity,
    linkCodes,
    linked,
    tickets: createLinkTickets(encryption),
    startUrl: (provider: string, ticket: string) => `${config.publicUrl}${prefix}/auth/providers/${provider}?linking=${ticket}`,
    begin: createStartAuthorization(flows),
    comeBack: createHandleCallback({ oneTime, presence, present, signIn, enter, deliver: sessions.sendLogin, codes, linkCodes, linkIdentity, audit }),
    getLiveToken: createGetFreshProviderToken({ tokens: createProviderTokenStore(database), vault, providers, log })
  }
}

function peculiaritiesOf (settings: ProviderSettings, log: Log): ProviderDefinition {
  switch (settings.kind) {
    case 'google': return google(settings, log)
    case 'github': return github(settings)
    case 'facebook': return facebook(settings)
    case 'openid': return openId(settings, log)
  }
}
