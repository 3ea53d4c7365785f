// One that replaced what it cannot read would make one password of many.
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws TypeError if it is not UTF-8 */
export function decodeUtf8 (bytes: Uint8Array): string {
  return UTF_8.decode(bytes)
}
