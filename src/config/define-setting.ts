import type { Parse } from './parsers.ts'

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One environment variable: how it is parsed, and its entry in `.env.example` and the reference. */
export interface Setting<T, Option = unknown> {
  readonly variable: string
  readonly parse: Parse<T, Option>
  readonly description: string
  readonly example: string
  /** The value where the variable is not set, as text. */
  readonly default?: string
  /** The same in words, where there is no fixed value. */
  readonly defaultDescription?: string
  readonly group: string
}

type Value<S> = S extends Setting<infer T> ? S extends { default: string } ? T : T | undefined : never

/** The values of a table of settings. */
export type SettingValues<Settings> = { [K in keyof Settings]: Value<Settings[K]> }

/** What the plugin takes as an option for a setting. */
export type OptionOf<S> = S extends Setting<unknown, infer Option> ? Option : never

type Description = Omit<Setting<unknown>, 'variable' | 'parse' | 'group'>

/** @returns a function that defines settings in one group of the reference */
export function inGroup (group: string) {
  function setting<T, Option> (variable: string, parse: Parse<T, Option>, description: Description & { default: string }): Setting<T, Option> & { default: string }
  function setting<T, Option> (variable: string, parse: Parse<T, Option>, description: Description): Setting<T, Option> & { default?: never }
  function setting<T, Option> (variable: string, parse: Parse<T, Option>, description: Description): Setting<T, Option> {
    return { variable, parse, group, ...description }
  }
  return setting
}

/** Reads variables. An empty one counts as unset; an invalid one is reported and then counts as unset too. */
export function readSettings<Settings extends Readonly<Record<string, Setting<unknown>>>> (settings: Settings, environment: Environment, report: (name: keyof Settings, problem: string) => void): SettingValues<Settings> {
  const entries = Object.entries(settings).map(([name, { variable, parse, default: defaultText }]) => {
    const given = environment[variable]
    const text = given === undefined || given === '' ? defaultText : given
    try {
      return [name, text === undefined ? undefined : parse(text)]
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      report(name, error.message)
      return [name, defaultText === undefined ? undefined : parse(defaultText)]
    }
  })
  return Object.fromEntries(entries) as SettingValues<Settings>
}
