import { digestOf, isRecord } from "../../core/index.ts";
import { type Prompt, readData, readInstructions } from "../prompt.ts";
import { fill } from "./fill.ts";
import { readMessage } from "./reading.ts";
import { compose, purposeOf, simulatedMark } from "./sentences.ts";

/** An answer of the simulated model. */
export interface SimulatedAnswer {
  /** JSON when a schema was given, else words that begin with `SIMULATED: `. */
  readonly text: string;
  /** Estimated: four characters to a token. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * The simulated model: reads the words of the message and answers as a model might, without any network.
 *
 * The same prompt always gives the same answer. Texts that it composes begin with `SIMULATED: `; what it quotes from the
 * data, and labels and figures, stand without. A stand-in server may give a prompt without `schema`: one that is written into
 * the system part after `JSON schema:` is found.
 */
export function createSimulatedAnswer(prompt: Prompt): SimulatedAnswer {
  const question = prompt.messages.find(({ role }) => role === "user")?.content ?? "";
  const reading = readMessage(readData(question) ?? { message: question });
  const schema = prompt.schema ?? writtenSchema(prompt.system);
  const meanings = meaningsIn(prompt.system);
  const text =
    schema === undefined
      ? simulatedMark + compose(purposeOf(readInstructions(prompt.system)) ?? "summary", reading)
      : JSON.stringify(fill("answer", schema, { root: schema, reading, meanings }));
  const inputCharacters = prompt.messages.reduce((sum, { content }) => sum + content.length, prompt.system.length);
  return { text, inputTokens: Math.ceil(inputCharacters / 4), outputTokens: Math.ceil(text.length / 4) };
}

/** How long the answer to a prompt takes: `averageMs`, a quarter more or less, always the same for the same prompt. */
export function simulatedLatencyMs(prompt: Prompt, averageMs: number): number {
  if (averageMs <= 0) return 0;
  const share = Number.parseInt(digestOf(prompt).slice("sha256:".length, "sha256:".length + 8), 16) / 2 ** 32;
  return Math.round(averageMs * (0.75 + share / 2));
}

function writtenSchema(system: string): Readonly<Record<string, unknown>> | undefined {
  const written = /JSON schema:\n(\{.*\})/.exec(system)?.[1];
  try {
    const parsed: unknown = written === undefined ? undefined : JSON.parse(written);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    // An operator's text that only looks like a schema: then the answer is in words.
    return undefined;
  }
}

/** Labels that the instructions explain, as `- label: meaning`, a line each. */
function meaningsIn(system: string): ReadonlyMap<string, string> {
  const lines = system.matchAll(/^- ([^\n:]{1,80}): ([^\n]{1,500})$/gm);
  return new Map([...lines].map(([, label = "", meaning = ""]) => [label, meaning]));
}
