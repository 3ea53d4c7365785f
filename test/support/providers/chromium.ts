import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import tap, { type Test } from 'tap'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** For tests that need a real browser: `t.test(name, inChromium, …)`. */
export const inChromium = existsSync(EXECUTABLE) ? {} : { skip: `needs Chromium at ${EXECUTABLE}: set CHROMIUM` }

/** Of this process: to start one takes as long as most of its tests. */
let browser: Promise<Browser> | undefined
tap.teardown(async () => { await (await browser)?.close() })

/**
 * A fresh profile in a headless Chromium, until the test ends.
 *
 * @param hosts names that resolve to the loopback: `*.shop.test`. There neither certificates nor content security policies are enforced
 */
export async function openChromium (t: Test, { hosts, ...options }: BrowserContextOptions & { hosts?: string } = {}): Promise<BrowserContext> {
  if (hosts !== undefined) {
    const own = await launch(`--host-resolver-rules=MAP ${hosts} 127.0.0.1`)
    t.teardown(() => own.close())
    return own.newContext({ ignoreHTTPSErrors: true, bypassCSP: true, ...options })
  }
  browser ??= launch()
  const context = await (await browser).newContext(options)
  t.teardown(() => context.close())
  return context
}

function launch (...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...args]
  })
}
