import { availableParallelism } from 'node:os'
import { DirectoryRefused } from './config/data-directory.ts'
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
import { errorMessage } from './config/error-code.ts'

type Settings = typeof settings

/** The values of the variables, before anything is derived from them. */
type ConfiguredValues = SettingValues<Settings>

/** The service's whole configuration. Durations are seconds. */
export type Config = Readonly<Omit<ConfiguredValues, 'publicUrl' | 'serviceName' | 'allowedOrigins' | 'secrets' | 'jwtSecrets' | 'privateKeys' | 'issuer' | 'hashConcurrency' | 'threadPoolSize' | keyof typeof providerSettings>> & {
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** What mails and pages call the service. */
  readonly serviceName: string
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
  /** The allowed redirect targets after sign-in, compared exactly; the first is the default. */
  readonly allowedRedirects: readonly [string, ...string[]]
  /** The providers that users can sign in with. */
  readonly providers: readonly ProviderSettings[]
}

/** One error in one variable. */
export interface ConfigurationProblem {
  variable: string
  problem: string
  example: string
}

/** All errors of the configuration together. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly problems: readonly ConfigurationProblem[]

  constructor (problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(({ variable, problem, example }) => `  ${variable} ${problem}, for example ${variable}=${example}`)
    super(`Invalid configuration:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

export type { Environment }

/**
 * Reads the configuration. Outside production, missing secrets are generated once and stored in `DATA_DIR`.
 *
 * @throws ConfigurationError with every invalid variable
 */
export function readConfig (environment: Environment): Config {
  const problems: ConfigurationProblem[] = []
  const report = (name: keyof Settings, problem: string) => {
    const { variable, example } = settings[name]
    problems.push({ variable, problem, example })
  }

  const values = readSettings(settings, environment, report)
  checkProduction(values, report)
  checkDirectUrl(values, report)
  checkRing('secrets', values.secrets, report)
  checkRing('jwtSecrets', values.jwtSecrets, report)
  checkSigning(values, environment[settings.privateKeys.variable], report)
  if (values.secrets?.some(secret => values.jwtSecrets?.includes(secret))) report('jwtSecrets', 'must not be the same as COUNTERSIGN_SECRET')
  if (values.sessionIdleTtl > values.sessionTtl) report('sessionIdleTtl', 'must not be longer than SESSION_TTL')
  if (values.refreshIdleTtl > values.refreshTtl) report('refreshIdleTtl', 'must not be longer than REFRESH_TTL')
  if (values.hashConcurrency !== undefined && values.hashConcurrency > values.threadPoolSize) {
    report('hashConcurrency', `must not be more than UV_THREADPOOL_SIZE, which is ${values.threadPoolSize}`)
  }
  if (values.cookieDomain !== undefined && values.publicUrl !== undefined && !isWithin(new URL(values.publicUrl).hostname, values.cookieDomain)) {
    report('cookieDomain', 'must be the host of PUBLIC_URL or a domain above it')
  }
  if (values.smtpUrl !== undefined && values.mailFrom === undefined && !environment[settings.mailFrom.variable]) report('mailFrom', 'is required beside SMTP_URL')
  const providers = [
    ...builtInProviders(values, report),
    ...openIdProviders(environment, ({ variable, example }, problem) => problems.push({ variable, problem, example }))
  ]
  checkUniqueIssuers(providers, ({ kind, id }, other) => problems.push({
    variable: kind === 'openid' ? `OIDC_${id.toUpperCase()}_ISSUER` : `${id.toUpperCase()}_${kind === 'google' ? 'ISSUER' : 'BASE_URL'}`,
    problem: `is the issuer of ${other.id} too`,
    example: 'https://login.example.com'
  }))
  if (problems.length > 0) throw new ConfigurationError(problems)

  // Normalised: the scheme decides the names of the cookies.
  const publicUrl = new URL(values.publicUrl ?? (values.port === 0 ? 'http://localhost' : `http://localhost:${values.port}`)).href.replace(/\/+$/, '')
  const [redirect = `${publicUrl}/`, ...redirects] = values.allowedRedirects ?? []
  return Object.freeze({
    ...withoutProviderSettings(values),
    ...readSecrets(values, report, problems),
    privateKeys: values.privateKeys ?? [],
    publicUrl,
    serviceName: values.serviceName ?? new URL(publicUrl).hostname,
    issuer: values.issuer ?? publicUrl,
    // One thread stays free for files and DNS.
    hashConcurrency: values.hashConcurrency ?? Math.max(1, Math.min(availableParallelism(), values.threadPoolSize) - 1),
    allowedOrigins: [new URL(publicUrl).origin, ...values.allowedOrigins ?? []],
    allowedRedirects: [redirect, ...redirects] as const,
    providers
  })
}

// These settings are in `allowedRedirects` and `providers`.
function withoutProviderSettings (values: ConfiguredValues): Omit<ConfiguredValues, keyof typeof providerSettings> {
  const entries = Object.entries(values).filter(([name]) => !(name in providerSettings))
  return Object.fromEntries(entries) as Omit<ConfiguredValues, keyof typeof providerSettings>
}

function isWithin (host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

type Report = (name: keyof Settings, problem: string) => void

function checkProduction (values: ConfiguredValues, report: Report): void {
  if (values.nodeEnv !== 'production') return
  if (values.databaseUrl === undefined && !values.allowEmbeddedDatabase) {
    report('databaseUrl', 'is required in production (ALLOW_EMBEDDED_DATABASE=true runs on the embedded one)')
  }
  if (values.requireVerifiedEmail && values.smtpUrl === undefined) report('smtpUrl', 'is required in production with REQUIRE_VERIFIED_EMAIL')
  if (values.allowGeneratedSecrets) return
  if (values.secrets === undefined) report('secrets', 'is required in production')
  if (values.jwtSecrets === undefined && values.algorithm === 'HS256') report('jwtSecrets', 'is required in production')
}

// The other ring may be configured too: changing the algorithm takes the same three steps as any rotation.
function checkSigning ({ algorithm, privateKeys: [current] = [] }: ConfiguredValues, given: string | undefined, report: Report): void {
  if (algorithm === 'HS256' || (given && current === undefined)) return
  if (current === undefined) report('privateKeys', `is required with JWT_ALGORITHM=${algorithm}`)
  else if (current.algorithm !== algorithm) report('privateKeys', `begins with a key for ${current.algorithm}, and JWT_ALGORITHM is ${algorithm}`)
}

function checkRing (name: 'secrets' | 'jwtSecrets', ring: readonly string[] | undefined, report: Report): void {
  if (ring === undefined) return
  for (const weakness of new Set(ring.map(findWeakness))) if (weakness !== undefined) report(name, weakness)
  if (new Set(ring).size < ring.length) report(name, 'holds the same secret twice')
}

function readSecrets (values: ConfiguredValues, report: Report, problems: ConfigurationProblem[]): Pick<Config, 'secrets' | 'jwtSecrets'> {
  const { secrets, dataDir, algorithm } = values
  const jwtSecrets = values.jwtSecrets ?? (algorithm === 'HS256' ? undefined : [])
  if (secrets !== undefined && jwtSecrets !== undefined) return { secrets, jwtSecrets }
  try {
    const generated = loadGeneratedSecrets(dataDir)
    return { secrets: secrets ?? [generated.secret], jwtSecrets: jwtSecrets ?? [generated.jwtSecret] }
  } catch (error) {
    report('dataDir', error instanceof DirectoryRefused ? error.message : `is not usable: ${errorMessage(error)}`)
    throw new ConfigurationError(problems)
  }
}

function checkDirectUrl ({ databaseUrl, databaseDirectUrl }: ConfiguredValues, report: Report): void {
  if (databaseDirectUrl === undefined) return
  if (databaseUrl === undefined) report('databaseDirectUrl', 'is set without DATABASE_URL')
  else if (schemaOf(databaseDirectUrl) !== schemaOf(databaseUrl)) report('databaseDirectUrl', 'must name the schema that DATABASE_URL names')
}

// A default is what the server makes of it, and the same at both.
function schemaOf (url: string): string | null {
  return new URL(url).searchParams.get('schema')
}
