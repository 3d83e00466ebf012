import {
  toJsonSchema,
  type EffectKind,
  type Idempotency,
  type JsonObject,
  type SecretReference,
  SluiceError,
} from "../core/index.ts";
import type { ConnectionSettings } from "./action-context.ts";
import { runAction, type ActionDefinition } from "./action.ts";

/** A connection as the dashboard and `sluice doctor` see it. */
export interface ConnectionDescription {
  readonly name: string;
  readonly connector: string;
  readonly actions: readonly ActionDescription[];
  /** What must be set for it to work; see resolveSecret. */
  readonly secrets: readonly SecretReference[];
}

/** An action as the dashboard and agents see it. */
export interface ActionDescription {
  readonly name: string;
  readonly description: string;
  readonly effect: EffectKind;
  readonly idempotency: Idempotency;
  /** JSON Schema of the input. */
  readonly input: JsonObject;
}

/** Carried by every connection object, beside its actions. */
export interface DescribedConnection {
  readonly connection: ConnectionDescription;
}

interface ActionDefinitions {
  readonly [name: string]: ActionDefinition;
}

/** The actions of a connection as functions for flows. */
export type ConnectionActions<Definitions extends ActionDefinitions> = {
  readonly [Name in keyof Definitions]: Definitions[Name] extends ActionDefinition<infer Input, infer Output>
    ? (input: Input) => Promise<Output>
    : never;
};

/** What {@link defineConnection} takes. */
export interface ConnectionDefinition<Definitions extends ActionDefinitions> extends ConnectionSettings {
  readonly actions: Definitions;
}

/**
 * Makes a connection: an object with a function for each action, and its description. For connectors.
 *
 * @throws CONFIG_INVALID when the name or the base URL is not usable.
 *
 * @example
 * export function pagerConnection(options: { name?: string; token: SecretReference }): PagerConnection {
 *   const { name = "pager", token } = options;
 *   return defineConnection({ name, connector: "pager", baseUrl: "https://api.pager.example/", secrets: { token }, actions: { page } });
 * }
 */
export function defineConnection<const Definitions extends ActionDefinitions>(
  definition: ConnectionDefinition<Definitions>,
): DescribedConnection & ConnectionActions<Definitions> {
  const { actions, ...settings } = definition;
  checkSettings(settings);
  const entries = Object.entries(actions);
  const calls = entries.map(([name, action]) => [
    name,
    (input: unknown) => runAction({ settings, name, definition: action }, input),
  ]);
  const connection: ConnectionDescription = {
    name: settings.name,
    connector: settings.connector,
    secrets: Object.values(settings.secrets),
    actions: entries.map(([name, { description, effect, idempotency, input }]) => ({
      name,
      description,
      effect,
      idempotency,
      input: toJsonSchema(input),
    })),
  };
  return { ...(Object.fromEntries(calls) as ConnectionActions<Definitions>), connection };
}

function checkSettings({ name, connector, baseUrl }: ConnectionSettings): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `connection name ${JSON.stringify(name)} is not usable`,
      hint: "Use lower-case letters, digits and hyphens, starting with a letter, at most 63 characters.",
    });
  }
  if (!URL.canParse(baseUrl)) {
    throw new SluiceError("CONFIG_INVALID", {
      message: `base URL ${JSON.stringify(baseUrl)} of ${connector} connection ${name} is not an address`,
      hint: "Write the whole address, such as https://api.example.com/.",
    });
  }
}
