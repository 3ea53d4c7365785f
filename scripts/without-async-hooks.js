// Loaded before each test file by scripts/run-tests.js.
// tap follows every promise and every timer by a hook of Node's, to tell which test threw what nobody caught: that takes a sixth
// of the whole run. Without the hook an uncaught error ends the process, which run-tests.js reports as failed, with its stack.
import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

asyncHooks.createHook = () => ({ enable () { return this }, disable () { return this } })
syncBuiltinESMExports()
