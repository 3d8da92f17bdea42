// The port to an embedding model: texts as vectors that are near each other when the texts mean alike.

/** Throws `model_failed` when trying again can help and `model_refused` when not. */
export interface Embedder {
  /** Its name, which is kept with the index that is made with it. */
  readonly model: string
  /** Of every vector that it gives. */
  readonly dimensions: number
  /** One vector a text, in order. Aborted, it throws the reason of the signal. */
  embed(texts: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<readonly (readonly number[])[]>
}
