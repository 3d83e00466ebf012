import { inspect } from "node:util";
import { SluiceError, type SecretReference } from "../core/index.ts";

/** The value of a secret in a wrapping that does not leak: it prints as `[secret:name]` in text, JSON and `console`. */
export class Secret {
  readonly name: string;
  readonly #value: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.#value = value;
  }

  /** The value itself. Called only where it goes out to its own system or checks a signature; never kept, never logged. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `[secret:${this.name}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * Looks a secret up in an environment. White space around the value is dropped, as files and shells add it.
 *
 * @throws SECRET_MISSING when the variable is not set or empty.
 */
export function resolveSecret(
  reference: SecretReference,
  environment: { readonly [name: string]: string | undefined },
): Secret {
  const value = environment[reference.secret]?.trim();
  if (value) return new Secret(reference.secret, value);
  throw new SluiceError("SECRET_MISSING", {
    message: `secret ${reference.secret} is not set`,
    hint: `Set the environment variable ${reference.secret}.`,
    details: { secret: reference.secret },
  });
}
