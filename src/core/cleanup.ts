/** What was opened and must be closed, the last opened first; also when opening failed half-way. */
export class Cleanup {
  readonly #closers: (() => void | Promise<void>)[] = [];

  /** Remembers how to close something that was just opened. */
  add(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /**
   * Closes everything; each once, all of them even if some fail.
   *
   * @throws the first error, after all were tried.
   */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Opens something of several parts: what was opened is closed when a later part fails. */
  static async during<T>(open: (cleanup: Cleanup) => Promise<T>): Promise<T> {
    const cleanup = new Cleanup();
    try {
      return await open(cleanup);
    } catch (error) {
      // The reason for closing matters more than a failure to close.
      await cleanup.close().catch(() => {});
      throw error;
    }
  }
}
