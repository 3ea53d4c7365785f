/** A token that differs from a base64url one in its last character, by bits that count however long it is. */
export function altered (token: string): string {
  return `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`
}
