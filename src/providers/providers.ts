import type { AuditStore } from '../audit/store.ts'
import type { Config } from '../config.ts'
import type { ProviderSettings } from '../config/provider-settings.ts'
import type { Database, Log } from '../database/database.ts'
import type { Guards } from '../http/authenticate.ts'
import type { Cookies } from '../http/cookies.ts'
import { createFlowCookies } from '../http/flow-cookies.ts'
import type { OneTimeStore } from '../one-time/store.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Revocation } from '../revocation/revocation.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { createEncryption } from '../tokens/encryption.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { createAppCodes } from './app-codes.ts'
import { createProvider, type Peculiarities } from './authorization-code.ts'
import { createBegin } from './begin.ts'
import { createClaimStore } from './claim-store.ts'
import { createComeBack } from './come-back.ts'
import { createEnter } from './enter.ts'
import { facebook } from './facebook.ts'
import { createFlows } from './flows.ts'
import { github } from './github.ts'
import { google } from './google.ts'
import { createIdentityStore } from './identity-store.ts'
import { createTokenVault } from './kept-tokens.ts'
import { createLinking } from './link.ts'
import { createLinkedStore } from './linked-store.ts'
import { createGetLiveToken } from './live-token.ts'
import { openId } from './openid.ts'
import { createRedirectTargets } from './redirect-targets.ts'
import { createAssertSameSession } from './same-session.ts'
import { createPresentIdentity, createSignIn } from './sign-in.ts'
import { createTokenStore } from './token-store.ts'

/** What signing in with providers takes. */
export interface ProvidersParts {
  config: Config
  /** Stands before the paths of the routes. */
  prefix: string
  database: Database
  tokens: Tokens
  sessions: Pick<Sessions, 'open' | 'deliver' | 'refreshTokens'>
  oneTime: OneTimeStore
  passwords: Passwords
  revocation: Pick<Revocation, 'apply'>
  audit: AuditStore
  guards: Guards
  cookies: Cookies
  log: Log
}

/** Everything the service does with providers. */
export function createProviders ({ config, prefix, database, tokens, sessions, oneTime, passwords, revocation, audit, guards, cookies, log }: ProvidersParts) {
  const providers = new Map(config.providers.map(settings => [settings.id, createProvider(peculiaritiesOf(settings, log), `${config.publicUrl}${prefix}/auth/providers/${settings.id}/callback`)]))
  const vault = createTokenVault(createEncryption(tokens.ring('provider-token')))
  const flows = createFlows(createFlowCookies(config), createEncryption(tokens.ring('flow')))

  const identities = createIdentityStore(database)
  const linked = createLinkedStore(database)
  const present = createPresentIdentity(vault)
  const signIn = createSignIn({ identities, claims: createClaimStore(database), present, propagation: revocation, audit })
  const enter = createEnter(sessions.open)
  const linking = createLinking({ identities, linked, present, passwords, audit })
  const codes = createAppCodes(oneTime)
  const assertSameSession = createAssertSameSession({ guards, cookies, refreshTokens: sessions.refreshTokens })

  return {
    providers,
    redirects: createRedirectTargets(config.allowedRedirects),
    flows,
    oneTime,
    codes,
    signIn,
    enter,
    audit,
    linking,
    linked,
    begin: createBegin(flows),
    comeBack: createComeBack({ oneTime, assertSameSession, signIn, enter, deliver: sessions.deliver, codes, linking, audit }),
    getLiveToken: createGetLiveToken({ tokens: createTokenStore(database), vault, providers, log })
  }
}

function peculiaritiesOf (settings: ProviderSettings, log: Log): Peculiarities {
  switch (settings.kind) {
    case 'google': return google(settings, log)
    case 'github': return github(settings)
    case 'facebook': return facebook(settings)
    case 'openid': return openId(settings, log)
  }
}
