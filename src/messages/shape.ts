/** What another language has to have: the same keys, and functions of the same data. A missing one does not compile. */
export type Shape<T> =
  T extends string ? string
    : T extends (...args: infer Args) => infer Result ? (...args: Args) => Shape<Result>
      : T extends ReadonlyArray<infer Item> ? ReadonlyArray<Shape<Item>>
        : { readonly [Key in keyof T]: Shape<T[Key]> }
