import type { TestService } from './service.ts'

/** Whether a service is ready, and all that it depends on is there. */
export async function isReady ({ call }: Pick<TestService, 'call'>): Promise<boolean> {
  return (await call<{ status: string }>('GET /health/ready')).body.status === 'ok'
}
