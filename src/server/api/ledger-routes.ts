import { z } from "zod";
import { maxPageSize } from "../../store/index.ts";
import { toLedgerEntryView, toLedgerVerdictView } from "./ledger-view.ts";
import { Identifier } from "./parameters.ts";
import { defineRoute, json, jsonLines } from "./route.ts";
import { ErasureView, EraseRequest, LedgerLineView, LedgerPage, LedgerVerdictView } from "./schemas.ts";
import { line } from "./schema-parts.ts";

/** What was sent to models and what was decided about it. */
export const ledgerRoutes = [
  defineRoute({
    id: "listLedger",
    method: "GET",
    path: "/ledger",
    access: "audit",
    summary: "Lists entries of the ledger, the newest first; by subject those about runs whose event held the value",
    query: z.object({
      subject: line(320).trim().min(1).optional().describe("An e-mail address, phone number, name or id"),
      run: Identifier.optional(),
      kind: z
        .string()
        .regex(/^[a-z.]{1,40}$/, "is not a kind of entry")
        .optional()
        .describe("Such as model.intended"),
      before: z
        .string()
        .regex(/^\d{1,15}$/, "is not the number of an entry")
        .optional()
        .describe("The `next` of the page before"),
      limit: z.coerce.number().int().min(1).max(maxPageSize).default(50),
    }),
    answers: { 200: LedgerPage },
    async handle({ query: { run, ...filter } }, { ports }) {
      const { items, next } = await ports.ledger.page({ ...filter, runId: run });
      return json(200, { items: items.map(toLedgerEntryView), next } satisfies LedgerPage);
    },
  }),
  defineRoute({
    id: "verifyLedger",
    method: "POST",
    path: "/ledger/verify",
    access: "audit",
    summary: "Reads the whole ledger and tells everything in it that was changed, removed, put in or reordered",
    answers: { 200: LedgerVerdictView },
    async handle({ caller }, { ports }) {
      const view = toLedgerVerdictView(await ports.ledger.verify());
      ports.log.info("ledger.verified", { count: view.problemsFound, by: caller?.id ?? null });
      return json(200, view);
    },
  }),
  defineRoute({
    id: "exportLedger",
    method: "GET",
    path: "/ledger/export",
    access: "audit",
    summary: "Gives all entries, the oldest first, a JSON document on each line, and at the end the head of the chain",
    answers: { 200: { [jsonLines]: LedgerLineView } },
    async handle(_call, { ports }) {
      return new Response(ReadableStream.from(toLines(ports.ledger.exportEntries())), {
        headers: { "content-type": jsonLines, "content-disposition": 'attachment; filename="ledger.ndjson"' },
      });
    },
  }),
  defineRoute({
    id: "eraseSubject",
    method: "POST",
    path: "/ledger/erase",
    access: "erase",
    summary:
      "Makes everything unreadable that was received and sent about a person, for good; the ledger still verifies",
    body: EraseRequest,
    answers: { 200: ErasureView },
    errors: ["SUBJECT_BUSY"],
    async handle({ body: { subject }, caller }, { ports }) {
      const by = caller?.id ?? "unknown";
      const { runs, calls, entry } = await ports.ledger.erase(subject, by);
      ports.log.info("subject.erased", { count: runs, by });
      return json(200, { runs, calls, entry } satisfies ErasureView);
    },
  }),
];

/** An error in the middle ends the connection, so that nobody takes a part for the whole. */
async function* toLines(entries: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const entry of entries) yield encoder.encode(`${JSON.stringify(entry)}\n`);
}
