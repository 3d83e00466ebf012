import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { SluiceError } from "../../core/index.ts";
import { createMasker, createPresidioDetector, type PresidioOptions } from "./index.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A stand-in of the analyzer on loopback. */
async function presidio(
  answer: (body: { text: string }, response: ServerResponse) => void,
  options: Partial<PresidioOptions> = {},
) {
  server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(JSON.parse(Buffer.concat(chunks).toString()) as { text: string }, response));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return createPresidioDetector({ url: `http://127.0.0.1:${port}`, fetch: globalThis.fetch, ...options });
}

const found = (response: ServerResponse, findings: unknown) => response.end(JSON.stringify(findings));
const caught = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown as SluiceError);

test("asks for its own kinds, and reads offsets in code points", async () => {
  let asked: unknown;
  const detector = await presidio(
    (body, response) => {
      asked = body;
      found(response, [
        { start: 2, end: 6, score: 0.85, entity_type: "PERSON" },
        { start: 10, end: 16, score: 0.7, entity_type: "ORGANIZATION" },
      ]);
    },
    { language: "de", scoreThreshold: 0.4 },
  );
  const masked = await createMasker({ policy: {}, known: [], detectors: [detector] }).mask([
    "😀 Jöhn 😀a Gmünd3 ok",
    "  ",
  ]);
  expect(masked.texts).toEqual(["😀 PERSON_1 😀a COMPANY_1 ok", "  "]);
  expect(asked).toMatchObject({
    language: "de",
    score_threshold: 0.4,
    entities: expect.arrayContaining(["PERSON", "UK_NHS"]) as unknown,
  });
});

test("long texts are asked about in slices, and offsets are those of the whole", async () => {
  const detector = await presidio(({ text }, response) => {
    const start = text.indexOf("Jane");
    found(response, start < 0 ? [] : [{ start, end: start + 4, score: 1, entity_type: "PERSON" }]);
  });
  const text = `${"word ".repeat(50_000)}Jane`;
  const [findings] = await detector.find([text]);
  expect(findings).toEqual([{ start: 250_000, end: 250_004, kind: "PERSON", source: "presidio" }]);
});

test.for([
  ["status 500", (response: ServerResponse): unknown => response.writeHead(500).end("{}"), true, /status 500/],
  ["status 404", (response: ServerResponse): unknown => response.writeHead(404).end("[]"), false, /status 404/],
  ["HTML", (response: ServerResponse): unknown => response.end("<html>jane</html>"), false, /not JSON/],
  ["an object", (response: ServerResponse): unknown => response.end('{"error":"jane"}'), false, /no list/],
  [
    "an unknown type",
    (response: ServerResponse): unknown => found(response, [{ start: 0, end: 1, entity_type: "toString" }]),
    false,
    /entity_type/,
  ],
  [
    "an offset outside",
    (response: ServerResponse): unknown => found(response, [{ start: 0, end: 99, entity_type: "PERSON" }]),
    false,
    /start and end/,
  ],
  [
    "half an answer",
    (response: ServerResponse): unknown => void response.writeHead(200, { "content-length": "99" }).write("["),
    true,
    /no answer|broke off|asked/,
  ],
  ["nothing in time", (): unknown => undefined, true, /no answer|asked/],
] as const)("an answer of %s stops the call", async ([name, answer, retryable, message]) => {
  const detector = await presidio((_, response) => void answer(response), {
    timeoutMs: /half|nothing/.test(name) ? 80 : 10_000,
  });
  const error = await caught(createMasker({ policy: {}, known: [], detectors: [detector] }).mask(["jane"]));
  expect(error).toMatchObject({ code: "MASKING_FAILED", retryable });
  expect((error as SluiceError).message).toMatch(message);
  expect(JSON.stringify(error)).not.toContain("jane");
});

test("an analyzer that is killed in the middle of a call stops it, and so does one that is away", async () => {
  const detector = await presidio((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write('[{"start":');
    server?.closeAllConnections();
    server?.close();
  });
  const masker = createMasker({ policy: {}, known: [], detectors: [detector] });
  for (let call = 0; call < 2; call += 1) {
    expect(await caught(masker.mask(["Jane"]))).toMatchObject({ code: "MASKING_FAILED", retryable: true });
  }
  expect(masker.originals).toEqual({});
});
