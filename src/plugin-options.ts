import { settings } from './config/settings.ts'
import type { Environment } from './config.ts'

/** A setting as an option: the text that its variable would hold, or the like of it. */
type OptionValue = string | number | boolean | readonly string[]

/** Other names for what the plugin adds to the app and its requests. */
export interface DecoratorNames {
  user?: string
  authenticate?: string
  authorize?: string
}

/**
 * The options of the plugin: every setting of the service by its name in camel case, for example
 * `{ databaseUrl: 'postgresql://…', accessTokenTtl: '5m' }`. What is not given is read from the environment.
 */
export type PluginOptions = { readonly [K in keyof typeof settings]?: OptionValue } & { decorators?: DecoratorNames }

/** Writes options as the environment variables they stand for. */
export function toEnvironment (options: PluginOptions): Environment {
  const known = Object.entries(settings).flatMap(([name, { variable }]) => {
    const value = options[name as keyof typeof settings]
    return value === undefined ? [] : [[variable, Array.isArray(value) ? value.join(',') : String(value)]]
  })
  return Object.fromEntries(known)
}
