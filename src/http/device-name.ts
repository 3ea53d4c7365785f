import Bowser from 'bowser'

// A user agent takes Bowser's patterns some 10 µs, and few are in use.
const MOST_NAMED = 500
const named = new Map<string, string | undefined>()

// What Bowser does not know, it calls as the user agent calls itself. That is for the client to write, not for a mail to say.
const KNOWN = new Set([...Object.values(Bowser.BROWSER_MAP), ...Object.values(Bowser.OS_MAP)])

/** @returns browser and operating system in known words, such as `Firefox on Windows`; `undefined` where neither is known */
export function deviceName (userAgent: string | null): string | undefined {
  if (userAgent === null) return undefined
  if (named.has(userAgent)) return named.get(userAgent)
  const { browser, os } = Bowser.parse(userAgent)
  const words = [browser.name, os.name].filter(word => word !== undefined && KNOWN.has(word))
  const name = words.length === 0 ? undefined : words.join(' on ')
  if (named.size === MOST_NAMED) named.clear()
  named.set(userAgent, name)
  return name
}
