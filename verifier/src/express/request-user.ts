import type { Principal } from '../types.ts'

// Types `req.user` in express apps that do not use passport, whose own types declare it too.
declare global {
  namespace Express {
    interface Request {
      user: Principal
    }
  }
}
