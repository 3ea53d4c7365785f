// The servers under measurement. All speak HTTP on 127.0.0.1 and keep their users in Postgres.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = path => fileURLToPath(new URL(path, import.meta.url))
const peerRoutes = { register: '/register', login: '/login', guarded: '/guarded', open: '/open', ready: '/open' }
const serviceFile = here('../../dist/bin/main.js')
const serveFlags = existsSync(serviceFile) ? await import('../../dist/cli/serve-flags.js') : {}

/**
 * title, packages   what the table calls it, and whose versions it prints
 * file, args        what is started; nodeArgs, env how
 * routes            where the same things live
 * tokenIn           where the answer to a registration holds the bearer token
 * mint              who can make 100,000 tokens it has never seen
 * hash              what its passwords are hashed with
 */
export const subjects = {
  service: {
    title: 'countersign (serve)',
    file: serviceFile,
    args: ['serve'],
    // What the command would restart itself with.
    nodeArgs: serveFlags.SERVE_FLAGS,
    env: serveFlags.SERVE_ENVIRONMENT,
    built: existsSync(serviceFile),
    routes: {
      register: '/auth/register',
      login: '/auth/login',
      guarded: '/auth/verify',
      open: '/health/live',
      ready: '/health/ready'
    },
    tokenIn: 'accessToken',
    hash: 'argon2'
  },
  // Every limit is counted, and none is reached: a login counts as always, and is given back.
  limited: {
    title: 'countersign (serve), limits on',
    file: serviceFile,
    args: ['serve'],
    nodeArgs: serveFlags.SERVE_FLAGS,
    env: { ...serveFlags.SERVE_ENVIRONMENT, RATE_LIMITS: 'login=1000/1m+1000/1h,network=10000/1m+10000/1h,success=10000/1m,register=off,refresh=10000/1m' },
    built: existsSync(serviceFile),
    routes: { register: '/auth/register', login: '/auth/login', guarded: '/auth/verify', open: '/health/live', ready: '/health/ready' },
    tokenIn: 'accessToken',
    hash: 'argon2'
  },
  plugin: {
    title: 'countersign (plugin)',
    file: here('../servers/countersign-host.js'),
    built: existsSync(here('../../dist/index.js')),
    routes: { register: '/auth/register', login: '/auth/login', guarded: '/guarded', remembered: '/remembered', open: '/open', ready: '/open' },
    tokenIn: 'accessToken',
    mint: 'countersign',
    hash: 'argon2'
  },
  fastify: {
    title: 'fastify + @fastify/jwt',
    packages: ['fastify', '@fastify/jwt', 'argon2'],
    file: here('../peers/plain-fastify.js'),
    routes: peerRoutes,
    tokenIn: 'accessToken',
    mint: 'plain',
    hash: 'argon2'
  },
  'fastify-cached': {
    title: 'the same, its cache on',
    packages: ['fastify', '@fastify/jwt', 'argon2'],
    file: here('../peers/plain-fastify.js'),
    env: { JWT_CACHE: 'on' },
    routes: peerRoutes,
    tokenIn: 'accessToken',
    mint: 'plain',
    hash: 'argon2'
  },
  express: {
    title: 'express + jsonwebtoken',
    packages: ['express', 'jsonwebtoken', 'bcrypt'],
    file: here('../peers/express.js'),
    routes: peerRoutes,
    tokenIn: 'accessToken',
    mint: 'plain',
    hash: 'bcrypt, cost 10'
  },
  'better-auth': {
    title: 'better-auth',
    packages: ['better-auth', 'fastify', 'pg'],
    file: here('../peers/better-auth.js'),
    routes: {
      register: '/api/auth/sign-up/email',
      login: '/api/auth/sign-in/email',
      guarded: '/guarded',
      open: '/open',
      ready: '/open'
    },
    tokenIn: 'token',
    hash: 'scrypt, its default'
  }
}

export function versionsOf (packages) {
  return packages.map(name => {
    const { version } = JSON.parse(readFileSync(here(`../node_modules/${name}/package.json`), 'utf8'))
    return `${name} ${version}`
  })
}
