// Loaded before each test file by scripts/run-tests.js.
// tap follows every promise and every timer by a hook of Node's, to tell which test threw what nobody caught: that takes a sixth
// of the whole run. Without the hook an uncaught error fails its file all the same, and run-tests.js shows the stack.
import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

asyncHooks.createHook = () => ({ enable () { return this }, disable () { return this } })
syncBuiltinESMExports()
