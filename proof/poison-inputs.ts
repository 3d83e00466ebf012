import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { RawRequest } from "./raw-request.ts";

/** A request that is meant to hurt. */
export interface PoisonInput {
  readonly name: string;
  readonly request: RawRequest;
  /** `either`: what is right is open, but it is no error of ours. */
  readonly wanted: "accepted" | "refused" | "either";
  /** What the run must give back; absent where nothing is compared. */
  readonly payload?: unknown;
}

const json = "content-type: application/json";
/** Answered when the run has ended, so that what the run costs belongs to its input. */
const post = "POST /hooks/anything?wait=10 HTTP/1.1";
const mega = 1_048_576;

/** All inputs, always in the same order. */
export function poisonInputs(): PoisonInput[] {
  return [...testSuite(), ...naughtyStrings(), ...prototypes(), ...large(), ...compressed(), ...texts(), ...requests()];
}

function bodyOf(name: string, wanted: PoisonInput["wanted"], text: string | Buffer, ...headers: string[]): PoisonInput {
  const body = Buffer.from(text as string);
  const input = { name, wanted, request: { head: [post, json, ...headers], body } };
  if (wanted !== "accepted" || headers.length > 0) return input;
  // Written and read once more, as storing does: -0 becomes 0.
  return { ...input, payload: JSON.parse(JSON.stringify(JSON.parse(body.toString("utf8")))) as unknown };
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../test/data/${file}`, import.meta.url), "utf8"));
}

/** @see https://github.com/nst/JSONTestSuite */
function testSuite(): PoisonInput[] {
  const { cases } = read("jsontestsuite.json") as { cases: readonly { name: string; base64: string }[] };
  const wanted = { y: "accepted", n: "refused", i: "either" } as const;
  return cases.map(({ name, base64 }) =>
    bodyOf(`jsontestsuite/${name}`, wanted[name[0] as keyof typeof wanted], Buffer.from(base64, "base64")),
  );
}

/** @see https://github.com/minimaxir/big-list-of-naughty-strings */
function naughtyStrings(): PoisonInput[] {
  const { strings } = read("blns.json") as { strings: readonly string[] };
  return strings.map((text, at) => bodyOf(`blns/${at}`, "accepted", JSON.stringify({ at, text, [`key ${text}`]: at })));
}

function prototypes(): PoisonInput[] {
  const polluted = '{"polluted":true}';
  return [
    bodyOf("a key __proto__", "refused", `{"__proto__":${polluted}}`),
    bodyOf("a key __proto__ deep inside", "refused", `{"a":[{"b":{"__proto__":${polluted}}}]}`),
    bodyOf("a key __proto__ with an escape", "refused", `{"\\u005f_proto__":${polluted}}`),
    bodyOf("keys constructor and prototype", "accepted", `{"constructor":{"prototype":${polluted}}}`),
    bodyOf("keys that objects have", "accepted", '{"toString":1,"hasOwnProperty":2,"valueOf":3,"then":4,"toJSON":5}'),
    ...["__proto__", "constructor", "toString"].map((path): PoisonInput => ({
      name: `the hook ${path}`,
      wanted: "refused",
      request: { head: [`POST /hooks/${path} HTTP/1.1`, json], body: Buffer.from("{}") },
    })),
  ];
}

function chunked(name: string, body: Buffer, chunkBytes: number): PoisonInput {
  return { name, wanted: "refused", request: { head: [post, json], body, chunkBytes } };
}

function large(): PoisonInput[] {
  const deep = 100_000;
  const many = Array.from({ length: 60_000 }, (_item, at) => `"k${at}":${at}`).join(",");
  const text = "x".repeat(mega - 100);
  const whole = Buffer.alloc(10 * mega, "[1,2,3],");
  return [
    bodyOf("arrays 100,000 deep", "refused", "[".repeat(deep) + "]".repeat(deep)),
    bodyOf("objects 100,000 deep", "refused", '{"a":'.repeat(deep) + "1" + "}".repeat(deep)),
    bodyOf("arrays 100,000 deep without an end", "refused", "[".repeat(deep)),
    bodyOf("arrays 100 deep", "accepted", "[".repeat(100) + "]".repeat(100)),
    bodyOf("60,000 keys", "accepted", `{${many}}`),
    bodyOf("500,000 numbers", "accepted", `[${"1,".repeat(500_000)}1]`),
    bodyOf("half a million empty objects less", "accepted", `[${"{},".repeat(300_000)}{}]`),
    bodyOf("a text of a megabyte", "accepted", JSON.stringify({ text })),
    bodyOf("a megabyte of escapes", "accepted", `{"text":"${"\\u0000".repeat(170_000)}"}`),
    bodyOf("10 MB with a length", "refused", whole),
    chunked("10 MB in chunks of 64 kB", whole, 65_536),
    chunked("10 MB in chunks of 1 kB", whole, 1024),
    chunked("1.1 MB in chunks of 100 bytes", whole.subarray(0, 1.1 * mega), 100),
  ];
}

function compressed(): PoisonInput[] {
  const bomb = Buffer.alloc(100 * mega, " ");
  const small = Buffer.from('{"fine":true}');
  return [
    bodyOf("a gzip bomb of 100 MB", "refused", gzipSync(bomb), "content-encoding: gzip"),
    bodyOf("a brotli bomb of 100 MB", "refused", brotliCompressSync(bomb), "content-encoding: br"),
    bodyOf("gzip in gzip", "refused", gzipSync(gzipSync(small)), "content-encoding: gzip"),
    bodyOf("gzip twice by name", "refused", gzipSync(gzipSync(small)), "content-encoding: gzip, gzip"),
    bodyOf("gzip that is none", "refused", small, "content-encoding: gzip"),
    bodyOf("gzip that is cut off", "refused", gzipSync(small).subarray(0, 12), "content-encoding: gzip"),
    bodyOf("gzip as it should be", "accepted", gzipSync(small), "content-encoding: gzip"),
  ];
}

function texts(): PoisonInput[] {
  return [
    bodyOf("NUL as an escape", "accepted", '{"text":"a\\u0000b","\\u0000":1}'),
    bodyOf("NUL as a byte", "refused", '{"text":"a\u0000b"}'),
    bodyOf("half of a surrogate pair", "accepted", '{"text":"\\ud800"}'),
    bodyOf("bytes that are no UTF-8", "refused", Buffer.from([0x22, 0xff, 0xfe, 0x22])),
    bodyOf("UTF-16 with a byte order mark", "refused", Buffer.from('\ufeff{"a":1}', "utf16le")),
    bodyOf("a number beyond doubles", "refused", '{"amount":1e999}'),
    bodyOf("a number of 100,000 digits", "refused", `{"amount":${"9".repeat(100_000)}}`),
    bodyOf("nothing", "refused", ""),
  ];
}

function requests(): PoisonInput[] {
  const body = Buffer.from('{"fine":true}');
  const refused = (name: string, ...head: string[]): PoisonInput => ({
    name,
    wanted: "refused",
    request: { head, body },
  });
  return [
    refused("content-type twice", post, json, json),
    refused("content-encoding twice", post, json, "content-encoding: gzip", "content-encoding: br"),
    refused("content-length twice", post, json, "content-length: 5"),
    refused("length and chunks", post, json, "transfer-encoding: chunked"),
    refused("no content type", post),
    refused("content type text", post, "content-type: text/plain"),
    refused("another charset", post, "content-type: application/json; charset=utf-16"),
    refused("an unknown encoding", post, json, "content-encoding: zstd"),
    refused("a header of 20 kB", post, json, `x-large: ${"x".repeat(20_000)}`),
    refused("a header with NUL", post, json, "x-nul: a\u0000b"),
    refused("an address of 20 kB", `POST /hooks/${"a".repeat(20_000)} HTTP/1.1`, json),
    refused("NUL in the address", "POST /hooks/%00 HTTP/1.1", json),
    refused("a broken escape in the address", "POST /hooks/%zz HTTP/1.1", json),
    refused("a way out of the folder", "POST /hooks/..%2f..%2fetc%2fpasswd HTTP/1.1", json),
    refused("a wait that is no number", "POST /hooks/anything?wait=NaN HTTP/1.1", json),
    refused("a wait of a year", "POST /hooks/anything?wait=31536000 HTTP/1.1", json),
    refused("another method", "DELETE /hooks/anything HTTP/1.1", json),
    refused("no HTTP", "\u0016\u0003\u0001"),
  ];
}
