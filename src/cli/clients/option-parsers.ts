import { InvalidArgumentError } from 'commander'
import { isScope } from '../../oauth/scopes.ts'
import { duration } from '../../config/parsers.ts'

/** An argument that matches a pattern. @param expected the pattern in words */
export function matching (pattern: RegExp, expected: string): (text: string) => string {
  return text => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`It must be ${expected}.`)
    return text
  }
}

/** Scopes separated by white space, each once. */
export function parseScopes (text: string): string[] {
  const scopes = [...new Set(text.split(/\s+/).filter(scope => scope !== ''))]
  const [wrong] = scopes.filter(scope => !isScope(scope))
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is no valid scope: RFC 6749 allows printable ASCII without " and \\.`)
  return scopes
}

/** @returns seconds */
export function parseDuration (text: string): number {
  try {
    return duration({ max: '30d' })(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `It ${error.message}.` : '')
  }
}
