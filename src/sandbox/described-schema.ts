import { isRecord } from "../core/index.ts";

/** As clients word what Anthropic's schemas cannot say: `minimum: 1; maximum: 100.` */
const described =
  /\b(exclusive minimum|exclusive maximum|minimum|maximum|multiple of|min length|max length|min items): (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/gi;

/**
 * Gives a schema in which the bounds that its descriptions speak of are bounds again. Anthropic's schemas have none, and
 * its models read the descriptions instead; so must a stand-in.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function withDescribedBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withDescribedBounds);
  if (!isRecord(schema)) return schema;
  const fields = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withDescribedBounds(value)]));
  const { description } = fields;
  return typeof description === "string" ? { ...boundsIn(description), ...fields } : fields;
}

function boundsIn(description: string): Readonly<Record<string, number>> {
  const found = [...description.matchAll(described)].map(([, words = "", value]): [string, number] => [
    words.toLowerCase().replace(/ (\w)/, (_match, letter: string) => letter.toUpperCase()),
    Number(value),
  ]);
  return Object.fromEntries(found);
}
