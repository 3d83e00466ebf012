import type { JsonObject } from "../core/index.ts";
import type { ModelAnswer, Reply } from "./exchange.ts";

/** An answer of server-sent events. Those with a type say it twice, as OpenAI's newer API and Anthropic do. */
export function toEventStream(events: readonly (JsonObject | string)[]): Reply {
  const body = events.map((event) => {
    const data = typeof event === "string" ? event : JSON.stringify(event);
    const type = typeof event === "string" ? undefined : event["type"];
    return `${typeof type === "string" ? `event: ${type}\n` : ""}data: ${data}\n\n`;
  });
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: body.join("") };
}

/** The text of an answer in the pieces in which it is streamed. */
export function piecesOf(answer: ModelAnswer): readonly string[] {
  return answer.content?.match(/.{1,24}/gsu) ?? [];
}
