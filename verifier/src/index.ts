export { InvalidToken, type TokenFailure } from './errors.ts'
export { ROLES, type ClientPrincipal, type Credential, type Principal, type Role, type TokenCredential } from './principal.ts'
