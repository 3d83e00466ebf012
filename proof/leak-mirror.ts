import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { MirrorMode } from "./leak-plan.ts";

/** A model that quotes all it is given: in its answers the prompt, and in its refusals the whole request and the key. */
export interface Mirror {
  readonly origin: string;
  /** Bodies as they arrived. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

/** Starts it, in the process of the experiment. It speaks OpenAI's chat completions. */
export async function startMirror(): Promise<Mirror> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const isNew = !received.includes(body);
      received.push(body);
      const { status, type = "application/json", content } = reflect(request.headers.authorization ?? "", body, isNew);
      response.writeHead(status, { "content-type": type, "x-request-id": digest(body) });
      response.end(typeof content === "string" ? content : JSON.stringify(content));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reflection {
  readonly status: number;
  readonly type?: string;
  readonly content: object | string;
}

interface Completion {
  readonly model: MirrorMode;
  readonly messages: readonly { readonly content: string }[];
}

function reflect(authorization: string, body: string, isNew: boolean): Reflection {
  const { model, messages } = JSON.parse(body) as Completion;
  const prompt = messages.map(({ content }) => content).join("\n");
  const message = `${authorization} may not ask this: ${prompt} (${body})`;
  const refuse = (status: number, code: string): Reflection => ({
    status,
    content: { error: { message, type: "invalid_request_error", code, param: prompt } },
  });
  const answer = (content: string): Reflection => ({ status: 200, content: toCompletion(model, content) });
  const once = (refusal: Reflection): Reflection => (isNew ? refusal : answer(prompt));
  switch (model) {
    case "says-400":
      return refuse(400, "invalid_prompt");
    case "says-401":
      return refuse(401, "invalid_api_key");
    case "says-402":
      return refuse(402, "insufficient_quota");
    case "says-404":
      return refuse(404, "model_not_found");
    case "says-code":
      return refuse(400, authorization.replace("Bearer ", ""));
    case "says-nonsense":
      return { status: 200, content: { quoted: message } };
    case "first-429":
      return once(refuse(429, "rate_limit_exceeded"));
    case "first-500":
      return once(refuse(500, "server_error"));
    case "first-html":
      return once({ status: 200, type: "text/html", content: `<p>${message}</p>` });
    case "echo-object":
      return answer(JSON.stringify({ quotes: [prompt.slice(0, 2000)] }));
    case "echo":
    default:
      return answer(prompt);
  }
}

function toCompletion(model: string, content: string): object {
  const message = { role: "assistant", content };
  const usage = { prompt_tokens: 100, completion_tokens: 100, total_tokens: 200 };
  return { id: "1", created: 1, model, choices: [{ index: 0, message, finish_reason: "stop" }], usage };
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
