/** The longest lifetime of an access token, in seconds. Revocations are kept this long, so no token may outlive it. */
export const MAX_ACCESS_TOKEN_LIFE = 3600

/** The largest token that is accepted, in bytes. */
export const MAX_TOKEN_BYTES = 4096

/** How far two clocks may differ by default, in seconds. */
export const DEFAULT_CLOCK_TOLERANCE = 5

/** The largest `clockTolerance`, in seconds: revocations are kept this much longer than any token lives. */
export const MAX_CLOCK_TOLERANCE = 60

/** The default size of the cache of verified tokens, in bytes. */
export const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024
