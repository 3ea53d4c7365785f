import type { Parse } from './parsers.ts'

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One environment variable: how it is read, and what is said of it in `.env.example` and the reference. */
export interface Setting<T> {
  readonly variable: string
  readonly parse: Parse<T>
  readonly description: string
  readonly example: string
  /** What holds where the variable is not set, as it would be written. */
  readonly default?: string
  /** The same in words, where the value itself is this machine's. */
  readonly defaultDescription?: string
  readonly group: string
}

type Value<S> = S extends Setting<infer T> ? S extends { default: string } ? T : T | undefined : never

/** What the variables of a table say. */
export type SettingValues<Settings> = { [K in keyof Settings]: Value<Settings[K]> }

type Described<T> = Omit<Setting<T>, 'variable' | 'parse' | 'group'>

/** @returns what makes the settings of one group of the reference */
export function inGroup (group: string) {
  function setting<T> (variable: string, parse: Parse<T>, described: Described<T> & { default: string }): Setting<T> & { default: string }
  function setting<T> (variable: string, parse: Parse<T>, described: Described<T>): Setting<T> & { default?: never }
  function setting<T> (variable: string, parse: Parse<T>, described: Described<T>): Setting<T> {
    return { variable, parse, group, ...described }
  }
  return setting
}

/**
 * Reads what variables say. An empty one counts as unset; one that is wrong is reported, and read as though it were not
 * there.
 */
export function readSettings<Settings extends Readonly<Record<string, Setting<unknown>>>> (settings: Settings, environment: Environment, report: (name: keyof Settings, problem: string) => void): SettingValues<Settings> {
  const entries = Object.entries(settings).map(([name, { variable, parse, default: otherwise }]) => {
    const given = environment[variable]
    const written = given === undefined || given === '' ? otherwise : given
    try {
      return [name, written === undefined ? undefined : parse(written)]
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      report(name, error.message)
      return [name, otherwise === undefined ? undefined : parse(otherwise)]
    }
  })
  return Object.fromEntries(entries) as SettingValues<Settings>
}
