import { findWeakness } from './config/secret-strength.ts'
import { loadGeneratedSecrets } from './config/generated-secrets.ts'
import type { PrivateKey } from './config/private-keys.ts'
import { settings, type Setting } from './config/settings.ts'

type Settings = typeof settings
type Value<S> = S extends Setting<infer T> ? S extends { fallback: string } ? T : T | undefined : never

/** What the variables say, before anything is derived from them. */
type Stated = { [K in keyof Settings]: Value<Settings[K]> }

/** The service's whole configuration. Durations are seconds. */
export type Config = Readonly<Omit<Stated, 'publicUrl' | 'allowedOrigins' | 'secrets' | 'jwtSecrets' | 'privateKeys' | 'issuer'>> & {
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

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>

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

  const stated = readStated(environment, report)
  checkProduction(stated, report)
  checkRing('secrets', stated.secrets, report)
  checkRing('jwtSecrets', stated.jwtSecrets, report)
  checkSigning(stated, environment[settings.privateKeys.variable], report)
  if (stated.secrets?.some(secret => stated.jwtSecrets?.includes(secret))) report('jwtSecrets', 'must not be the same as COUNTERSIGN_SECRET')
  if (stated.sessionIdleTtl > stated.sessionTtl) report('sessionIdleTtl', 'must not be longer than SESSION_TTL')
  if (stated.refreshIdleTtl > stated.refreshTtl) report('refreshIdleTtl', 'must not be longer than REFRESH_TTL')
  if (stated.cookieDomain !== undefined && stated.publicUrl !== undefined && !isWithin(new URL(stated.publicUrl).hostname, stated.cookieDomain)) {
    report('cookieDomain', 'must be the host of PUBLIC_URL or a domain above it')
  }
  if (problems.length > 0) throw new ConfigurationError(problems)

  // One spelling, whatever the letters: the scheme decides the names of the cookies.
  const publicUrl = new URL(stated.publicUrl ?? `http://localhost:${stated.port}`).href.replace(/\/+$/, '')
  return Object.freeze({
    ...stated,
    ...readSecrets(stated, report, problems),
    privateKeys: stated.privateKeys ?? [],
    publicUrl,
    issuer: stated.issuer ?? publicUrl,
    allowedOrigins: [new URL(publicUrl).origin, ...stated.allowedOrigins ?? []]
  })
}

function isWithin (host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}

type Report = (name: keyof Settings, problem: string) => void

function readStated (environment: Environment, report: Report): Stated {
  const entries = Object.entries(settings).map(([name, { variable, parse, fallback }]) => {
    const given = environment[variable]
    const written = given === undefined || given === '' ? fallback : given
    try {
      return [name, written === undefined ? undefined : parse(written)]
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      report(name as keyof Settings, error.message)
      return [name, fallback === undefined ? undefined : parse(fallback)]
    }
  })
  return Object.fromEntries(entries) as Stated
}

function checkProduction (stated: Stated, report: Report): void {
  if (stated.nodeEnv !== 'production') return
  if (stated.databaseUrl === undefined && !stated.allowEmbeddedDatabase) {
    report('databaseUrl', 'is required in production (ALLOW_EMBEDDED_DATABASE=true runs on the embedded one)')
  }
  if (stated.allowGeneratedSecrets) return
  if (stated.secrets === undefined) report('secrets', 'is required in production')
  if (stated.jwtSecrets === undefined && stated.algorithm === 'HS256') report('jwtSecrets', 'is required in production')
}

// The other ring may be there as well: so tokens go from one algorithm to another in the three steps of any rotation.
function checkSigning ({ algorithm, privateKeys: [current] = [] }: Stated, given: string | undefined, report: Report): void {
  if (algorithm === 'HS256' || (given && current === undefined)) return
  if (current === undefined) report('privateKeys', `is required with JWT_ALGORITHM=${algorithm}`)
  else if (current.algorithm !== algorithm) report('privateKeys', `begins with a key for ${current.algorithm}, and JWT_ALGORITHM is ${algorithm}`)
}

function checkRing (name: 'secrets' | 'jwtSecrets', ring: readonly string[] | undefined, report: Report): void {
  if (ring === undefined) return
  for (const weakness of new Set(ring.map(findWeakness))) if (weakness !== undefined) report(name, weakness)
  if (new Set(ring).size < ring.length) report(name, 'holds the same secret twice')
}

function readSecrets (stated: Stated, report: Report, problems: ConfigurationProblem[]): Pick<Config, 'secrets' | 'jwtSecrets'> {
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
