// Other services, registered with the service under measurement by its own command line.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** @returns what a verifier of `service` is told by its environment */
export async function registerVerifier (service, scope) {
  const { file, env, port } = service
  const { stdout } = await promisify(execFile)(process.execPath, [file, 'clients', 'create', '--name', 'bench', '--scope', scope, '--json'], { env: { PATH: process.env.PATH, ...env } })
  const { id, secret } = JSON.parse(stdout)
  return {
    COUNTERSIGN_URL: `http://127.0.0.1:${port}`,
    JWT_ISSUER: env.JWT_ISSUER,
    JWT_AUDIENCE: env.JWT_AUDIENCE,
    JWT_SECRET: env.JWT_SECRET,
    CLIENT_ID: id,
    CLIENT_SECRET: secret
  }
}
