const BELOW_VERIFY = '/auth/verify/'

/**
 * Makes a URL below `/auth/verify` one that can be routed. A gateway asks there about any path that a client sends, and one whose
 * escapes are no UTF-8 is no less a request that has to be authenticated than another.
 */
export function routableUrl ({ url = '/' }: { url?: string | undefined }): string {
  if (!url.startsWith(BELOW_VERIFY) || !url.includes('%')) return url
  const [path = '', ...query] = url.split('?')
  return [path.replace(/%(?=[89a-f][0-9a-f])/gi, '%25'), ...query].join('?')
}
