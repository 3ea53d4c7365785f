// By their shape, not their class: a test runner that gives each file a global object of its own has several classes named Error,
// and what Node throws is of another than what is thrown here.

/** @returns the `code` of an error, such as `ENOENT` or a SQLSTATE */
export function errorCode (error: unknown): string | undefined {
  const code: unknown = isError(error) && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

export function isError (error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}

/** @returns the message of an error, or what was thrown instead of one as text */
export function errorMessage (error: unknown): string {
  return isError(error) ? error.message : String(error)
}
