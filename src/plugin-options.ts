import { settings } from './config/settings.ts'
import { openIdProviderName } from './config/openid-providers.ts'
import { openIdSettings } from './config/provider-settings-table.ts'
import type { Environment } from './config.ts'

/** A setting as an option: the text that its variable would hold, or the like of it. */
type OptionValue = string | number | boolean | readonly string[]

/** Other names for what the plugin adds to the app and its requests. */
export interface DecoratorNames {
  user?: string
  authenticate?: string
  authorize?: string
}

// How a process listens, logs, stands behind proxies and how many threads it has is the host's to say.
export const OF_THE_HOST = ['host', 'logLevel', 'trustProxy', 'threadPoolSize'] as const
const NO_SETTINGS = ['decorators', 'prefix', 'openIdProviders', 'logLevel', 'logSerializers']

type SettingName = Exclude<keyof typeof settings, typeof OF_THE_HOST[number]>

/** What is said of an OpenID provider: as in the variables `OIDC_<NAME>_…`. */
export type OpenIdProviderOptions = { readonly [K in keyof typeof openIdSettings]?: OptionValue }

/**
 * The options of the plugin: every setting of the service by its name in camel case, for example
 * `{ databaseUrl: 'postgresql://…', accessTokenTtl: '5m' }`. What is not given is read from the environment.
 */
export type PluginOptions = { readonly [K in SettingName]?: OptionValue } & {
  readonly decorators?: DecoratorNames
  /** OpenID providers beside Google, by their names: `{ acme: { issuer: 'https://…', clientId: '…', clientSecret: '…' } }`. */
  readonly openIdProviders?: Readonly<Record<string, OpenIdProviderOptions>>
  /** Stands before the paths of the routes. */
  readonly prefix?: string
}

/**
 * Writes options, and where there are none the environment, as the environment variables that they stand for.
 *
 * @throws TypeError for an option that there is not
 */
export function toEnvironment (options: PluginOptions, environment: Environment): Environment {
  const given = new Map<string, unknown>(Object.entries(options))
  const known = Object.entries(settings).filter(([name]) => !OF_THE_HOST.some(host => host === name))
  for (const name of given.keys()) {
    if (!NO_SETTINGS.includes(name) && !known.some(([setting]) => setting === name)) throw new TypeError(`Countersign has no option "${name}"`)
  }
  const stated = known.map(([name, { variable }]) => {
    const option = given.get(name)
    return [variable, option === undefined ? environment[variable] : String(option)]
  })
  const openId = Object.entries(environment).filter(([variable]) => openIdProviderName(variable) !== undefined)
  // What Node itself was told stands, whoever is the host.
  const { variable: threads } = settings.threadPoolSize
  return Object.fromEntries([[threads, environment[threads]], ...stated, ...openId, ...openIdVariables(options.openIdProviders ?? {})])
}

function openIdVariables (providers: Readonly<Record<string, OpenIdProviderOptions>>): Array<[variable: string, value: string]> {
  return Object.entries(providers).flatMap(([name, options]) => Object.entries(options).map(([key, option]): [string, string] => {
    const setting = Object.entries(openIdSettings).find(([known]) => known === key)?.[1]
    const variable = setting?.variable.replace('<NAME>', name.toUpperCase())
    if (variable === undefined) throw new TypeError(`Countersign has no option "openIdProviders.${name}.${key}"`)
    if (openIdProviderName(variable) === undefined) throw new TypeError(`No provider can be called "${name}"`)
    return [variable, String(option)]
  }))
}
