/** The longest life an access token may have, in seconds. Revocations are kept this long, so nothing may outlive it. */
export const MAX_ACCESS_TOKEN_LIFE = 3600

/** The largest token that is looked at, in bytes. */
export const MAX_TOKEN_BYTES = 4096

/** How far two clocks may differ, in seconds. */
export const DEFAULT_CLOCK_TOLERANCE = 5

/** The most that clocks may be allowed to differ, in seconds: revocations are kept so much longer than any token lives. */
export const MAX_CLOCK_TOLERANCE = 60

/** What the cache of verified tokens may take, in bytes. */
export const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024
