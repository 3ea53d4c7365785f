import type { OpenIdSettings } from './provider-settings.ts'
import { readSettings, type Environment, type Setting } from './define-setting.ts'
import { openIdSettings } from './provider-settings-table.ts'

const OPENID_VARIABLE = /^OIDC_([A-Z0-9]+(?:_[A-Z0-9]+)*?)_(?:ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL|SCOPES|TRUST_EMAIL|KEEP_TOKENS|NATIVE_CLIENT_IDS)$/
const REQUIRED = ['issuer', 'clientId', 'clientSecret'] as const
const RESERVED_NAMES = ['google', 'github', 'facebook']

type Report = (setting: Pick<Setting<unknown>, 'variable' | 'example'>, problem: string) => void

/** @returns the `<NAME>` of a variable `OIDC_<NAME>_…`, `undefined` for other variables */
export function openIdProviderName (variable: string): string | undefined {
  return OPENID_VARIABLE.exec(variable)?.[1]
}

/** Every OpenID provider that the variables name; an incomplete one is reported. */
export function openIdProviders (environment: Environment, report: Report): OpenIdSettings[] {
  const given = Object.keys(environment).filter(variable => Boolean(environment[variable]))
  const names = new Set(given.flatMap(variable => openIdProviderName(variable) ?? []))
  return [...names].sort().flatMap(name => readProvider(name, environment, report) ?? [])
}

function readProvider (name: string, environment: Environment, report: Report): OpenIdSettings | undefined {
  const id = name.toLowerCase()
  const settings = settingsOf(name)
  const values = readSettings(settings, environment, (key, problem) => report(settings[key], problem))
  for (const key of REQUIRED) if (!environment[settings[key].variable]) report(settings[key], `is required of the provider ${id}`)
  if (!values.scopes.includes('openid')) report(settings.scopes, 'must include openid')
  if (RESERVED_NAMES.includes(id)) report(settings.issuer, `names a provider that has variables of its own, such as ${name}_CLIENT_ID`)

  const { issuer, clientId, clientSecret, label = capitalise(id), nativeClientIds = [], ...rest } = values
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return undefined
  return { kind: 'openid', id, issuer, clientId, clientSecret, label, nativeClientIds, ...rest }
}

function settingsOf (name: string): typeof openIdSettings {
  const own = Object.entries(openIdSettings).map(([key, setting]) => [key, { ...setting, variable: setting.variable.replace('<NAME>', name) }])
  return Object.fromEntries(own) as typeof openIdSettings
}

function capitalise (text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
