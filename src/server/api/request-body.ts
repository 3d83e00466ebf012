import { SluiceError, type Json } from "../../core/index.ts";
import { maxBodyBytes, parseJson } from "../../triggers/index.ts";

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
  return parseJson(body);
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

function tooLarge(): SluiceError {
  return new SluiceError("BODY_TOO_LARGE", {
    message: `the body is larger than ${maxBodyBytes} bytes`,
    hint: "Send less, such as ids to fetch the rest by.",
  });
}
