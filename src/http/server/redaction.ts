const SECRET = new Set(['authorization', 'countersign-client', 'cookie', 'set-cookie', 'password', 'newPassword', 'currentPassword', 'accessToken', 'refreshToken', 'idToken', 'token', 'codeVerifier', 'clientSecret', 'secret', 'client_secret', 'access_token', 'passwordHash'])
const REDACTED = '[redacted]'
// As deep as `req.headers.cookie`.
const DEEPEST = 2

/**
 * Replaces what has the name of a secret, in an object that is to be logged and in those within. pino's own redaction takes more of
 * a request's time than the check of its token.
 * @returns the object itself where there is none, or else a copy, since the object's owner still needs the secret
 */
export function withoutSecrets <Value extends object> (value: Value): Value {
  return redact(value, 0) as Value
}

/** The same for what a logger is called with: an object first, and whatever its message is made of. */
export function withoutSecretsIn (args: readonly unknown[]): unknown[] {
  return args.map((arg, index) => typeof arg !== 'object' || arg === null || (index === 0 && arg instanceof Error) ? arg : withoutSecrets(arg))
}

function redact (value: object, depth: number): object {
  if (ArrayBuffer.isView(value)) return value
  let copy: object | undefined
  for (const [name, inner] of Object.entries(value) as Array<[string, unknown]>) {
    // Errors have a serializer of their own, which takes them as they are.
    if (name === 'err' && depth === 0) continue
    const logged = redactNamed(name, inner, depth)
    if (logged === inner) continue
    copy ??= copyOf(value)
    set(copy, name, logged)
  }
  return copy ?? value
}

function redactNamed (name: string, value: unknown, depth: number): unknown {
  if (SECRET.has(name)) return REDACTED
  return typeof value === 'object' && value !== null && depth < DEEPEST ? redact(value, depth + 1) : value
}

// With the prototype, whose toJSON and getters say what is written.
function copyOf (value: object): object {
  if (Array.isArray(value)) return [...value as unknown[]]
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object
  for (const [name, inner] of Object.entries(value)) set(copy, name, inner)
  return copy
}

// Past a setter of the prototype.
function set (object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}
