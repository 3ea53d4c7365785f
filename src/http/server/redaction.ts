const SECRET = new Set(['authorization', 'countersign-client', 'cookie', 'set-cookie', 'password', 'newPassword', 'currentPassword', 'accessToken', 'refreshToken', 'idToken', 'token', 'codeVerifier', 'clientSecret', 'secret', 'client_secret', 'access_token', 'passwordHash'])
const REDACTED = '[redacted]'
// As deep as `req.headers.cookie`.
const DEEPEST = 2

/**
 * Replaces, in an object that is to be logged and in those within, what has the name of a secret. pino's own redaction does
 * so as well, and takes more of a request's time than the check of its token.
 * @returns the object itself where there is none, or else a copy: whose object it is, needs the secret
 */
export function withoutSecrets <Line extends object> (line: Line): Line {
  return redact(line, 0) as Line
}

function redact (value: object, depth: number): object {
  if (ArrayBuffer.isView(value)) return value
  let copy: object | undefined
  for (const [name, inner] of Object.entries(value) as Array<[string, unknown]>) {
    // Errors have a serializer of their own, which takes them as they are.
    if (name === 'err' && depth === 0) continue
    const logged = redactNamed(name, inner, depth)
    if (logged === inner) continue
    copy ??= Array.isArray(value) ? [...value as unknown[]] : { ...value }
    Reflect.set(copy, name, logged)
  }
  return copy ?? value
}

function redactNamed (name: string, value: unknown, depth: number): unknown {
  if (SECRET.has(name)) return REDACTED
  return typeof value === 'object' && value !== null && depth < DEEPEST ? redact(value, depth + 1) : value
}
