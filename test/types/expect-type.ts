/** Whether two types are one and the same, `any` and `never` told apart from the rest. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles only where the value's type is exactly `Expected`. */
export function expectType<Expected> () {
  return <Found>(_value: Found, _same: Same<Expected, Found>): void => {}
}
