import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { markerPattern } from "./leak-plan.ts";

/**
 * How the detector is.
 * - `up`: it answers.
 * - `dead`: nobody listens, and what was under way is reset.
 * - `failing`: status 500.
 * - `cut`: half of the answer comes.
 * - `garbage`: an answer that is no list of findings.
 * - `hanging`: no answer.
 */
export type DetectorState = "up" | "dead" | "failing" | "cut" | "garbage" | "hanging";

/** A stand-in of a Presidio analyzer that takes every marker for a name and knows nothing else. */
export interface DetectorServer {
  readonly url: string;
  /** Texts with a marker that it was asked about. */
  readonly asked: number;
  become(state: DetectorState): Promise<void>;
  close(): Promise<void>;
}

/** Starts it, in the process of the experiment. */
export async function startDetector(): Promise<DetectorServer> {
  let state: DetectorState = "up";
  let asked = 0;
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      if (text.search(markerPattern) >= 0) asked += 1;
      answer(state, text, response);
    });
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get asked() {
      return asked;
    },
    async become(next) {
      if (next === "dead") await stop();
      else if (state === "dead") await listen(port);
      // What hangs since before goes on hanging.
      state = next;
    },
    close: stop,
  };
}

function answer(state: DetectorState, text: string, response: ServerResponse): void {
  if (state === "hanging") return;
  const findings = [...text.matchAll(markerPattern)].map(({ 0: word, index: start }) => ({
    start,
    end: start + word.length,
    entity_type: "PERSON",
    score: 0.9,
  }));
  const body = JSON.stringify(findings);
  const status = state === "failing" ? 500 : 200;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  if (state === "cut") response.write(body.slice(0, body.length / 2), () => response.destroy());
  else response.end(state === "garbage" ? body.replace("[", "{") : body);
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return (JSON.parse(Buffer.concat(chunks).toString("utf8")) as { readonly text: string }).text;
}
