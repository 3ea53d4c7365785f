import { availableParallelism } from 'node:os'
import { findWeakness } from './config/secret-strength.ts'
import { loadGeneratedSecrets } from './config/generated-secrets.ts'
import { builtInProviders } from './config/built-in-providers.ts'
import { checkUniqueIssuers } from './config/unique-issuers.ts'
import { openIdProviders } from './config/openid-providers.ts'
import type { PrivateKey } from './config/private-keys.ts'
import type { ProviderSettings } from './config/provider-settings.ts'
import { readSettings, type Environment, type SettingValues } from './config/define-setting.ts'
import { settings } from './config/settings.ts'
import { providerSettings } from './config/provider-settings-table.ts'

type Settings = typeof settings

/** What the variables say, before anything is derived from them. */
type StatedSettings = SettingValues<Settings>

/** The service's whole configuration. Durations are seconds. */
export type Config = Readonly<Omit<StatedSettings, 'publicUrl' | 'allowedOrigins' | 'secrets' | 'jwtSecrets' | 'privateKeys' | 'issuer' | 'hashConcurrency' | 'threadPoolSize' | keyof typeof providerSettings>> & {
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
  /** The ring of `COUNTERSIGN_SECRET`, the current one first. */
  readonly secrets: readonly string[]
  /** The ring of `JWT_SECRET`, the current one first; empty where private keys sign and there is none. */
  readonly jwtSecrets: readonly string[]
  /** The ring of `JWT_PRIVATE_KEY`, the current one first. */
  readonly privateKeys: readonly PrivateKey[]
  readonly issuer: string
  /** How many password hashes run at once. */
  readonly hashConcurrency: number
  /** Where people may be sent back to, compared exactly; the first is where they go when nothing is known of them. */
  readonly allowedRedirects: readonly [string, ...string[]]
  /** The providers that people can sign in with. */
  readonly providers: readonly ProviderSettings[]
}

/** One thing that is wrong with one variable. */
export interface ConfigurationProblem {
  variable: string
  problem: string
  example: string
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly ConfigurationProblem[]

  constructor (problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(({ variable, problem, example }) => `  ${variable} ${problem}, for example ${variable}=${example}`)
    super(`The configuration is not usable:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

export type { Environment }

/**
 * Reads the configuration. Outside production, secrets that are not given are made once and kept in `DATA_DIR`.
 *
 * @throws ConfigurationError naming every variable that is wrong
 */
export function readConfig (environment: Environment): Config {
  const problems: ConfigurationProblem[] = []
  const report = (name: keyof Settings, problem: string) => {
    const { variable, example } = settings[name]
    problems.push({ variable, problem, example })
  }

  const stated = readSettings(settings, environment, report)
  checkProduction(stated, report)
  checkRing('secrets', stated.secrets, report)
  checkRing('jwtSecrets', stated.jwtSecrets, report)
  checkSigning(stated, environment[settings.privateKeys.variable], report)
  if (stated.secrets?.some(secret => stated.jwtSecrets?.includes(secret))) report('jwtSecrets', 'must not be the same as COUNTERSIGN_SECRET')
  if (stated.sessionIdleTtl > stated.sessionTtl) report('sessionIdleTtl', 'must not be longer than SESSION_TTL')
  if (stated.refreshIdleTtl > stated.refreshTtl) report('refreshIdleTtl', 'must not be longer than REFRESH_TTL')
  if (stated.hashConcurrency !== undefined && stated.hashConcurrency > stated.threadPoolSize) {
    report('hashConcurrency', `must not be more than UV_THREADPOOL_SIZE, which is ${stated.threadPoolSize}`)
  }
  if (stated.cookieDomain !== undefined && stated.publicUrl !== undefined && !isWithin(new URL(stated.publicUrl).hostname, stated.cookieDomain)) {
    report('cookieDomain', 'must be the host of PUBLIC_URL or a domain above it')
  }
  const providers = [
    ...builtInProviders(stated, report),
    ...openIdProviders(environment, ({ variable, example }, problem) => problems.push({ variable, problem, example }))
  ]
  checkUniqueIssuers(providers, ({ kind, id }, other) => problems.push({
    variable: kind === 'openid' ? `OIDC_${id.toUpperCase()}_ISSUER` : `${id.toUpperCase()}_${kind === 'google' ? 'ISSUER' : 'BASE_URL'}`,
    problem: `is the issuer of ${other.id} too`,
    example: 'https://login.example.com'
  }))
  if (problems.length > 0) throw new ConfigurationError(problems)

  // One spelling, whatever the letters: the scheme decides the names of the cookies.
  const publicUrl = new URL(stated.publicUrl ?? (stated.port === 0 ? 'http://localhost' : `http://localhost:${stated.port}`)).href.replace(/\/+$/, '')
  const [redirect = `${publicUrl}/`, ...redirects] = stated.allowedRedirects ?? []
  return Object.freeze({
    ...withoutSignIn(stated),
    ...readSecrets(stated, report, problems),
    privateKeys: stated.privateKeys ?? [],
    publicUrl,
    issuer: stated.issuer ?? publicUrl,
    // One thread is left to what is no hash: files, and the names of hosts.
    hashConcurrency: stated.hashConcurrency ?? Math.max(1, Math.min(availableParallelism(), stated.threadPoolSize) - 1),
    allowedOrigins: [new URL(publicUrl).origin, ...stated.allowedOrigins ?? []],
    allowedRedirects: [redirect, ...redirects] as const,
    providers
  })
}

// What these variables say stands in `allowedRedirects` and `providers`.
function withoutSignIn (stated: StatedSettings): Omit<StatedSettings, keyof typeof providerSettings> {
  const entries = Object.entries(stated).filter(([name]) => !(name in providerSettings))
  return Object.fromEntries(entries) as Omit<StatedSettings, keyof typeof providerSettings>
}

function isWithin (host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

type Report = (name: keyof Settings, problem: string) => void

function checkProduction (stated: StatedSettings, report: Report): void {
  if (stated.nodeEnv !== 'production') return
  if (stated.databaseUrl === undefined && !stated.allowEmbeddedDatabase) {
    report('databaseUrl', 'is required in production (ALLOW_EMBEDDED_DATABASE=true runs on the embedded one)')
  }
  if (stated.allowGeneratedSecrets) return
  if (stated.secrets === undefined) report('secrets', 'is required in production')
  if (stated.jwtSecrets === undefined && stated.algorithm === 'HS256') report('jwtSecrets', 'is required in production')
}

// The other ring may be there as well: so tokens go from one algorithm to another in the three steps of any rotation.
function checkSigning ({ algorithm, privateKeys: [current] = [] }: StatedSettings, given: string | undefined, report: Report): void {
  if (algorithm === 'HS256' || (given && current === undefined)) return
  if (current === undefined) report('privateKeys', `is required with JWT_ALGORITHM=${algorithm}`)
  else if (current.algorithm !== algorithm) report('privateKeys', `begins with a key for ${current.algorithm}, and JWT_ALGORITHM is ${algorithm}`)
}

function checkRing (name: 'secrets' | 'jwtSecrets', ring: readonly string[] | undefined, report: Report): void {
  if (ring === undefined) return
  for (const weakness of new Set(ring.map(findWeakness))) if (weakness !== undefined) report(name, weakness)
  if (new Set(ring).size < ring.length) report(name, 'holds the same secret twice')
}

function readSecrets (stated: StatedSettings, report: Report, problems: ConfigurationProblem[]): Pick<Config, 'secrets' | 'jwtSecrets'> {
  const { secrets, dataDir, algorithm } = stated
  const jwtSecrets = stated.jwtSecrets ?? (algorithm === 'HS256' ? undefined : [])
  if (secrets !== undefined && jwtSecrets !== undefined) return { secrets, jwtSecrets }
  try {
    const made = loadGeneratedSecrets(dataDir)
    return { secrets: secrets ?? [made.secret], jwtSecrets: jwtSecrets ?? [made.jwtSecret] }
  } catch (error) {
    report('dataDir', `is not usable: ${error instanceof Error ? error.message : String(error)}`)
    throw new ConfigurationError(problems)
  }
}
