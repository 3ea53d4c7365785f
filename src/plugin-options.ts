import { settings } from './config/settings.ts'
import { openIdProviderName } from './config/openid-providers.ts'
import { openIdSettings } from './config/provider-settings-table.ts'
import type { Environment, OptionOf } from './config/define-setting.ts'

/** Other names for the decorators of the plugin. */
export interface DecoratorNames {
  user?: string
  authenticate?: string
  authorize?: string
}

/** Settings that are no options: the host decides how its process listens, logs, trusts proxies, sizes its thread pool, and serves metrics and documents. */
export const HOST_SETTINGS = ['host', 'shutdownDelay', 'logLevel', 'trustProxy', 'metrics', 'apiDocs', 'threadPoolSize'] as const

// Options that are no settings: the plugin's own, and those that Fastify adds.
const OTHER_OPTIONS = ['decorators', 'environment', 'prefix', 'openIdProviders', 'logLevel', 'logSerializers']

type Options<Settings> = { readonly [K in keyof Settings]?: OptionOf<Settings[K]> | undefined }

/** The settings of an OpenID provider: those of the variables `OIDC_<NAME>_…`. */
export type OpenIdProviderOptions = Options<typeof openIdSettings>

/**
 * The options of the plugin: every setting of the service by its name in camel case, for example
 * `{ databaseUrl: 'postgresql://…', accessTokenTtl: '5m' }`.
 */
export type PluginOptions = Options<Omit<typeof settings, typeof HOST_SETTINGS[number]>> & {
  readonly decorators?: DecoratorNames
  /**
   * Where settings without an option are read from, by the names of their variables: `process.env` by default, `false` for
   * nowhere. `NODE_ENV` and `UV_THREADPOOL_SIZE` describe the process and are still read from `process.env`.
   */
  readonly environment?: false | Environment | undefined
  /** OpenID providers other than Google, by name: `{ acme: { issuer: 'https://…', clientId: '…', clientSecret: '…' } }`. */
  readonly openIdProviders?: Readonly<Record<string, OpenIdProviderOptions>>
  /** Precedes the paths of all routes, after the prefix of the scope that the plugin is registered in. */
  readonly prefix?: string
}

/** @returns a prefix as Fastify applies it to paths that begin with a slash: `/api` for `api` and `/api/`, nothing for `/` */
export function normalisePrefix (prefix: string): string {
  const path = prefix.replace(/\/+$/, '')
  return path === '' || path.startsWith('/') ? path : `/${path}`
}

/**
 * Writes options as the environment variables of their settings, and adds variables for settings without an option.
 *
 * @param processEnvironment `process.env`
 * @throws TypeError for an unknown option
 */
export function toEnvironment (options: PluginOptions, processEnvironment: Environment): Environment {
  const given = new Map<string, unknown>(Object.entries(options))
  const known = Object.entries(settings).filter(([name]) => !HOST_SETTINGS.some(setting => setting === name))
  for (const name of given.keys()) {
    if (!OTHER_OPTIONS.includes(name) && !known.some(([setting]) => setting === name)) throw new TypeError(`Countersign has no option "${name}"`)
  }
  const { variable: threads } = settings.threadPoolSize
  const { variable: mode } = settings.nodeEnv
  const environment: Environment = { [mode]: processEnvironment[mode], ...options.environment === false ? {} : options.environment ?? processEnvironment }
  const configured = known.map(([name, { variable }]) => {
    const option = given.get(name)
    return [variable, option === undefined ? environment[variable] : String(option)]
  })
  const openId = Object.entries(environment).filter(([variable]) => openIdProviderName(variable) !== undefined)
  return Object.fromEntries([[threads, processEnvironment[threads]], ...configured, ...openId, ...openIdVariables(options.openIdProviders ?? {})])
}

function openIdVariables (providers: Readonly<Record<string, OpenIdProviderOptions>>): Array<[variable: string, value: string | undefined]> {
  return Object.entries(providers).flatMap(([name, options]) => Object.entries(options).map(([key, option]): [string, string | undefined] => {
    const setting = Object.entries(openIdSettings).find(([known]) => known === key)?.[1]
    const variable = setting?.variable.replace('<NAME>', name.toUpperCase())
    if (variable === undefined) throw new TypeError(`Countersign has no option "openIdProviders.${name}.${key}"`)
    if (openIdProviderName(variable) === undefined) throw new TypeError(`Invalid provider name "${name}"`)
    return [variable, option === undefined ? undefined : String(option)]
  }))
}
