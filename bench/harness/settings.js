// How long and how hard: two modes, nothing else to turn.
export const NORMAL = {
  rounds: 10,
  seconds: 0.5,
  connections: 64,
  warmTokens: 1000,
  users: 32,
  loginRounds: 5,
  loginSeconds: 2.5,
  loginConnections: 4,
  stormRounds: 3,
  stormSeconds: 4,
  stormClients: 32,
  stormPauseMs: 100,
  pacePerSecond: 100,
  coreRounds: 15,
  coreRoundMs: 100,
  starts: 5,
  logouts: 1000,
  timingPairs: 500,
  sessionRounds: 8,
  sessionRoundMs: 700,
  feedRounds: 1000,
  followers: 500,
  fanOuts: 100
}

export const QUICK = {
  ...NORMAL,
  rounds: 4,
  seconds: 0.3,
  users: 8,
  loginRounds: 3,
  loginSeconds: 1,
  stormRounds: 2,
  stormSeconds: 2,
  coreRounds: 5,
  coreRoundMs: 40,
  starts: 2,
  logouts: 50,
  timingPairs: 50,
  sessionRounds: 3,
  sessionRoundMs: 300,
  feedRounds: 50,
  followers: 100,
  fanOuts: 10
}

/** One set of hash parameters for everything that hashes with argon2 (OWASP's first choice for argon2id). */
export const ARGON2 = { ARGON2_MEMORY_KIB: '19456', ARGON2_ITERATIONS: '2', ARGON2_PARALLELISM: '1' }
