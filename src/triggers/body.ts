import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { SluiceError } from "../core/index.ts";
import type { RawRequest } from "./raw-request.ts";

/** Largest body of a delivery, as received and after decoding: 1 MB (1,048,576 bytes). */
export const maxBodyBytes = 1_048_576;

/** The only types that are read. The declared type alone decides how; the body is never sniffed. */
export type BodyType = "json" | "form";

const decoders: {
  readonly [encoding: string]: (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;
} = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/**
 * Tells how the body is to be read from its declared type.
 *
 * @throws CONTENT_TYPE_UNSUPPORTED when the type is absent, neither JSON nor a simple form, or not in UTF-8.
 */
export function readBodyType(contentType: string | undefined): BodyType {
  // Nearly every sender writes one of these two; the rest takes the long way.
  if (contentType === "application/json" || contentType === "application/json; charset=utf-8") return "json";
  const [type = "", ...parameters] = (contentType ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset === undefined || /^"?utf-?8"?$/.test(charset)) {
    if (type === "application/x-www-form-urlencoded") return "form";
    if (/^application\/([\w.-]+\+)?json$/.test(type)) return "json";
  }
  throw new SluiceError("CONTENT_TYPE_UNSUPPORTED", {
    message:
      contentType === undefined ? "the request declares no content type" : "the declared content type is not read here",
    hint: "Send content-type: application/json in UTF-8, or application/x-www-form-urlencoded.",
  });
}

/**
 * Takes in a body and undoes its content encoding. Stops at once when it grows past {@link maxBodyBytes}.
 *
 * @throws BODY_TOO_LARGE; BODY_ENCODING_UNSUPPORTED for any other encoding than gzip, deflate or br, or a body that is
 *   not of the declared one; BODY_NOT_JSON when the sender went away before the end.
 */
export async function readBody(request: RawRequest): Promise<Buffer> {
  const encoding = request.header("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity" && !Object.hasOwn(decoders, encoding))
    throw unsupported("the content encoding is not read here");
  if (Number(request.header("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  const received = await receive(request);
  const decode = decoders[encoding];
  if (!decode) return received;
  try {
    return await decode(received, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw unsupported(`the body is not valid ${encoding} data`);
  }
}

async function receive(request: RawRequest): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const isComplete = await request.readBody((chunk) => {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) return false;
    chunks.push(chunk);
    return true;
  });
  if (sizeBytes > maxBodyBytes) throw tooLarge();
  if (!isComplete) {
    throw new SluiceError("BODY_NOT_JSON", {
      message: "the connection closed before the body was complete",
      hint: "Send the delivery again.",
    });
  }
  const [first] = chunks;
  return chunks.length === 1 && Buffer.isBuffer(first) ? first : Buffer.concat(chunks);
}

function tooLarge(): SluiceError {
  return new SluiceError("BODY_TOO_LARGE", {
    message: `the body is larger than ${maxBodyBytes} bytes`,
    hint: "Send less, such as ids to fetch the rest by.",
  });
}

function unsupported(message: string): SluiceError {
  return new SluiceError("BODY_ENCODING_UNSUPPORTED", {
    message,
    hint: "Send the body as it is, or with content-encoding gzip, deflate or br.",
  });
}
