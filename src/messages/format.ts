import type { Locale } from './locales.ts'

const formats = new Map<Locale, Intl.DateTimeFormat>()

/**
 * Writes a point in time for people, in UTC: where they are is not known.
 *
 * @param instant ISO 8601
 */
export function formatInstant (locale: Locale, instant: string): string {
  // To make a formatter takes thirty times as long as to use one.
  let format = formats.get(locale)
  if (format === undefined) formats.set(locale, format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }))
  return `${format.format(new Date(instant))} UTC`
}
