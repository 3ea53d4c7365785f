/** @throws TypeError whose message begins with `name` */
export function assertText (name: string, value: unknown): asserts value is string {
  if (!isText(value)) throw new TypeError(`${name} must be a non-empty string`)
}

/** @throws TypeError whose message begins with `name` */
export function assertNumber (name: string, value: unknown, max: number): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= max)) throw new TypeError(`${name} must be a number from 0 to ${max}`)
}

/** @throws TypeError whose message begins with `name` */
export function readUrl (name: string, value: unknown): URL {
  // A URL by what it says: that of a test runner's own global object is of another class.
  const text = Object.prototype.toString.call(value) === '[object URL]' ? String(value) : value
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new TypeError(`${name} must be an http or https URL`)
  if (url.username !== '' || url.password !== '') throw new TypeError(`${name} must not contain credentials`)
  return url
}

/** Puts the option's name before the message of what `read` throws. @throws TypeError */
export function withOptionName<Value> (name: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw new TypeError(`${name}: ${(error as Error).message}`, { cause: error })
  }
}

export function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
