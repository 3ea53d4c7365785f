import type { Principal } from '../types.ts'

// Types `req.user` for Express apps without Passport, whose types declare it too.
declare global {
  namespace Express {
    interface Request {
      user: Principal
    }
  }
}
