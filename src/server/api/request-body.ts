import { SluiceError, type Json } from "../../core/index.ts";
import { maxBodyBytes } from "../../triggers/index.ts";

/** Deepest nesting that is read, so that whatever walks a value later may use recursion. */
const maxDepth = 100;

/**
 * Reads the JSON body of an API request. No body at all is read as an empty object.
 *
 * @throws BODY_TOO_LARGE above 1 MB; CONTENT_TYPE_UNSUPPORTED when it is not declared as JSON, which also keeps forms of
 *   other sites out; BODY_NOT_JSON when it is not JSON, is nested deeper than 100, or has a key `__proto__`.
 */
export async function readJsonBody(request: Request): Promise<Json> {
  const body = await receive(request);
  if (body.length === 0) return {};
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw new SluiceError("CONTENT_TYPE_UNSUPPORTED", {
      message: "the body is not declared as JSON",
      hint: "Send content-type: application/json.",
    });
  }
  const value = parse(body);
  checkShape(value);
  return value;
}

async function receive(request: Request): Promise<Buffer> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): Json {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as Json;
  } catch {
    // The parser's message quotes the text, so it is not kept.
    throw unreadable("is not valid JSON in UTF-8");
  }
}

/** Level by level instead of by recursion, which a deep value would turn into a stack overflow. */
function checkShape(value: Json): void {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw unreadable(`is nested deeper than ${maxDepth} levels`);
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? childrenOf(item) : []));
  }
}

function childrenOf(container: object): Json[] {
  if (Object.hasOwn(container, "__proto__")) throw unreadable("has a key __proto__");
  return Object.values(container) as Json[];
}

function tooLarge(): SluiceError {
  return new SluiceError("BODY_TOO_LARGE", {
    message: `the body is larger than ${maxBodyBytes} bytes`,
    hint: "Send less, such as ids to fetch the rest by.",
  });
}

function unreadable(problem: string): SluiceError {
  return new SluiceError("BODY_NOT_JSON", { message: `the body ${problem}`, hint: "Send one JSON document." });
}
