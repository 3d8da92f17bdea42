// Chance that is the same every time.

/** Integers below 2³¹. */
export function randomIntegers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % randomLimit
    return state
  }
}

export const randomLimit = 2_147_483_648
