import Bowser from 'bowser'

/** @returns a user agent in words, such as `Firefox on Windows`; as it stands where it is no browser's */
export function describeUserAgent (userAgent: string): string {
  const { browser, os } = Bowser.parse(userAgent)
  const words = [browser.name, os.name].filter(Boolean)
  return words.length === 0 ? userAgent.slice(0, 80) : words.join(' on ')
}
