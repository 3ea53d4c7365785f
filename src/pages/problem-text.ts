import type { Problem } from '../errors.ts'
import type { catalogue } from '../messages/catalogue.ts'
import type { Locale } from '../messages/locales.ts'

/** The texts of pages, in one language. */
export type PageTexts = typeof catalogue[Locale]['pages']

/** @returns a problem in the words of a page */
export function problemText ({ problems, objections }: PageTexts, { code, statusCode, errors }: Problem): string {
  const objection = errors?.[0]?.code
  if (objection !== undefined) return isKeyOf(objections, objection) ? objections[objection] : objections.other
  if (isKeyOf(problems, code)) return problems[code]
  return statusCode >= 500 ? problems.unavailable : problems.other
}

function isKeyOf<T extends object> (texts: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(texts, key)
}
