import type { Client } from "pg";

/** Every row of every table of ours and of the engine beneath, as a dump of the database would have it: one text a table. */
export async function readAllTables(client: Pick<Client, "query">): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema in ('sluice', 'sluice_engine') and table_type = 'BASE TABLE' order by 1`,
  );
  const texts = new Map<string, string>();
  for (const { name } of rows) {
    const found = await client.query<{ text: string }>(`select item::text as text from ${name} as item`);
    texts.set(name, found.rows.map(({ text }) => text).join("\n"));
  }
  return texts;
}

/** A value in all the ways in which it might stand in a row: as it is, in JSON, and in base64 at any place among other bytes. */
function formsOf(value: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    // The characters at both ends also depend on the bytes beside the value.
    return bytes.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
  const escaped = JSON.stringify(value).slice(1, -1);
  const hex = Buffer.from(value).toString("hex");
  const urls = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [value, escaped, JSON.stringify(escaped).slice(1, -1), encodeURIComponent(value), hex, ...base64, ...urls];
}

/** Which of the values stand in which table, in whatever form. */
export function findValues(tables: ReadonlyMap<string, string>, values: readonly string[]): string[] {
  return [...tables].flatMap(([name, text]) => {
    const lower = text.toLowerCase();
    return values
      .filter((value) => formsOf(value).some((form) => text.includes(form) || lower.includes(form.toLowerCase())))
      .map((value) => `${value} in ${name}`);
  });
}
