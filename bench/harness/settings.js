// How long and how hard: two modes, nothing else to turn.
export const NORMAL = {
  rounds: 7,
  seconds: 0.35,
  connections: 64,
  warmTokens: 1000,
  users: 32,
  loginRounds: 3,
  loginSeconds: 1.2,
  loginConnections: 4,
  stormRounds: 3,
  stormSeconds: 2,
  stormClients: 32,
  stormPauseMs: 100,
  pacePerSecond: 100,
  coreRounds: 15,
  coreRoundMs: 80,
  starts: 5,
  logouts: 150,
  timingPairs: 200,
  timingPairsOfOthers: 20,
  sessionWarmUps: 4,
  sessionRounds: 6,
  sessionRoundMs: 500,
  feedRounds: 200,
  followers: 500,
  fanOuts: 40
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
  timingPairsOfOthers: 20,
  sessionWarmUps: 2,
  sessionRounds: 3,
  sessionRoundMs: 300,
  feedRounds: 50,
  followers: 100,
  fanOuts: 10
}

/** One set of hash parameters for everything that hashes with argon2 (OWASP's first choice for argon2id). */
export const ARGON2 = { ARGON2_MEMORY_KIB: '19456', ARGON2_ITERATIONS: '2', ARGON2_PARALLELISM: '1' }
