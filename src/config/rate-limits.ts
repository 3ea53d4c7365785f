import type { Parse } from './parsers.ts'

/** At most `limit` hits in any period of so many seconds. */
export interface RateWindow {
  readonly limit: number
  readonly seconds: number
}

const RULES = ['login', 'network', 'success', 'register', 'mail', 'address', 'code', 'reset', 'totp', 'refresh', 'provider'] as const

/** What is limited. docs/limits.md says what each rule counts by. */
export type RateRule = typeof RULES[number]

/** The windows of each rule, none where it is off. */
export type RateLimits = Readonly<Record<RateRule, readonly RateWindow[]>> & {
  /** How many consecutive failures lock the password of an account; 0 for no such lock. */
  readonly lock: number
}

/** The limits of a service where nothing else is configured, as `RATE_LIMITS` would have them. */
export const DEFAULT_RATE_LIMITS = 'login=5/1m+20/1h,network=60/1m+600/1h,success=30/1m,register=5/1m+20/1h,mail=2/15m+3/1h,address=20/1h,code=5/1m+20/1h,reset=10/10m,totp=5/5m,refresh=600/1m,provider=60/1m,lock=100'

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
// Each admitted hit of a window is kept as one stamp.
const MAX_LIMIT = 10_000
const MAX_SECONDS = UNITS.d
const MAX_WINDOWS = 3
// NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures.
const MAX_LOCK = 100

/** `off`, or the rules that differ from the default: `login=10/1m,network=off`. */
export const rateLimits: Parse<RateLimits> = text => {
  if (text === 'off') return OFF
  return { ...OFF, ...readRules(DEFAULT_RATE_LIMITS), ...readRules(text) }
}

/** @returns whether nothing at all is limited */
export function areLimitsOff (limits: RateLimits): boolean {
  return limits.lock === 0 && RULES.every(rule => limits[rule].length === 0)
}

const OFF: RateLimits = { login: [], network: [], success: [], register: [], mail: [], address: [], code: [], reset: [], totp: [], refresh: [], provider: [], lock: 0 }

function readRules (text: string): Partial<RateLimits> {
  const rules: { -readonly [Rule in keyof RateLimits]?: RateLimits[Rule] } = {}
  for (const part of text.split(',').map(part => part.trim())) {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(part) ?? []
    if (name === undefined || value === undefined) throw new RangeError(`must be off or limits such as login=5/1m+20/1h, separated by commas; "${part}" is neither`)
    if (!isRule(name)) throw new RangeError(`has an unknown limit "${name}" (known are ${RULES.join(', ')}, lock)`)
    if (rules[name] !== undefined) throw new RangeError(`sets "${name}" twice`)
    if (name === 'lock') rules.lock = readLock(value)
    else rules[name] = readWindows(name, value)
  }
  return rules
}

function isRule (name: string): name is keyof RateLimits {
  return name === 'lock' || RULES.some(rule => rule === name)
}

function readLock (value: string): number {
  if (value === 'off') return 0
  const lock = /^[1-9][0-9]{0,2}$/.test(value) ? Number(value) : Infinity
  if (lock > MAX_LOCK) throw new RangeError(`must set "lock" to off or a whole number from 1 to ${MAX_LOCK}`)
  return lock
}

function readWindows (name: string, value: string): RateWindow[] {
  if (value === 'off') return []
  const windows = value.split('+').map(window => {
    const [, limit, period, unit] = /^([1-9][0-9]{0,5})\/([1-9][0-9]{0,4})([smhd])$/.exec(window) ?? []
    const seconds = Number(period) * UNITS[unit as keyof typeof UNITS]
    if (!(Number(limit) <= MAX_LIMIT && seconds <= MAX_SECONDS)) throw new RangeError(`must set "${name}" to off or hits by period such as 5/1m+20/1h: at most ${MAX_LIMIT} hits, in at most 1d`)
    return { limit: Number(limit), seconds }
  })
  if (windows.length > MAX_WINDOWS) throw new RangeError(`must set "${name}" to at most ${MAX_WINDOWS} periods`)
  return windows
}
