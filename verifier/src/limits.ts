/** The longest lifetime of an access token, in seconds. Revocations are kept this long, so no token may outlive it. */
export const MAX_ACCESS_TOKEN_LIFE = 3600

/** How long the service keeps a revocation, in seconds: the longest life of a token, and the difference that clocks may have. */
export const LEDGER_LIFE = MAX_ACCESS_TOKEN_LIFE + 60

/**
 * How far ahead of this machine's clock the `iat` of a token may be, in seconds. More than `clockTolerance`: a client with a fresh
 * token that is refused refreshes it, and again.
 */
export const MAX_IAT_AHEAD = 60

/** The largest token that is accepted, in bytes. */
export const MAX_TOKEN_BYTES = 4096

/** How far two clocks may differ by default, in seconds, for `exp` and `nbf`. */
export const DEFAULT_CLOCK_TOLERANCE = 5

/** The largest `clockTolerance`, in seconds: revocations are kept this much longer than any token lives. */
export const MAX_CLOCK_TOLERANCE = 60

/** The default size of the cache of verified tokens, in bytes. */
export const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024
