/** Protocol 3 codes that stand where a version would: the client asks for encryption first. */
const encryptionRequests: ReadonlySet<number> = new Set([80_877_103, 80_877_104]);

/**
 * Reads which statements a Postgres client executes out of the bytes that it sends, prepared ones included. A statement
 * counts when its last byte has come: the server may begin with it from then on.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class StatementReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasStarted = false;
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, string>();

  /** The texts of the statements that these bytes complete. */
  read(bytes: Buffer): readonly string[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const executed: string[] = [];
    for (let message = this.#take(); message !== null; message = this.#take()) {
      const text = this.#executedBy(message);
      if (text !== undefined) executed.push(text);
    }
    return executed;
  }

  /** The next whole message: its type byte and what follows the length; null when it is not complete. */
  #take(): { readonly type: string; readonly content: Buffer } | null {
    const typeLength = this.#hasStarted ? 1 : 0;
    if (this.#rest.length < typeLength + 4) return null;
    const end = typeLength + this.#rest.readUInt32BE(typeLength);
    if (this.#rest.length < end) return null;
    const type = this.#rest.toString("latin1", 0, typeLength);
    const content = this.#rest.subarray(typeLength + 4, end);
    this.#rest = this.#rest.subarray(end);
    return { type, content };
  }

  #executedBy({ type, content }: { readonly type: string; readonly content: Buffer }): string | undefined {
    const texts = content.toString("utf8").split("\0");
    const [first = "", second = ""] = texts;
    switch (type) {
      case "": // Start-up, which has no type.
        this.#hasStarted = !encryptionRequests.has(content.readUInt32BE(0));
        return undefined;
      case "Q":
        return first;
      case "P":
        this.#prepared.set(first, second);
        return undefined;
      case "B":
        this.#portals.set(first, this.#prepared.get(second) ?? "");
        return undefined;
      case "E":
        return this.#portals.get(first);
      default:
        return undefined;
    }
  }
}
