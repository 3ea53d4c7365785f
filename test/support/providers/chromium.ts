import { existsSync } from 'node:fs'
import { chromium, type BrowserContext } from 'playwright-core'
import type { Test } from 'tap'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** For tests that need a real browser: `t.test(name, inChromium, …)`. */
export const inChromium = existsSync(EXECUTABLE) ? {} : { skip: `needs Chromium at ${EXECUTABLE}: set CHROMIUM` }

/** A fresh profile in a headless Chromium, until the test ends. */
export async function openChromium (t: Test): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  })
  t.teardown(() => browser.close())
  return browser.newContext()
}
