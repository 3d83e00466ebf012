import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { extname, join, relative, sep } from "node:path";
import type { Context, Handler } from "hono";
import { answerNotFound } from "./failure.ts";

const compress = promisify(gzip);

const contentTypes: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sluice</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run build</code> in the folder of Sluice and start it again. The API works without it: see <a href="/openapi.json">/openapi.json</a>.</p>
</html>
`;

/**
 * Serves the files of a built dashboard, and its page for every other address that a browser opens.
 *
 * The files are listed once; a request can only name one of the list, so no path leads out of the folder.
 *
 * @param folder null, or without an `index.html`: a page that says how to build it.
 */
export async function createDashboard(folder: string | null): Promise<Handler> {
  const files = folder === null ? new Map<string, string>() : await listFiles(folder);
  const page = files.get("/index.html");
  return async (context) => {
    const path = new URL(context.req.url).pathname;
    const file = files.get(path);
    const gzipAccepted = /\bgzip\b/.test(context.req.header("accept-encoding") ?? "");
    if (file !== undefined) return sendFile(file, path, gzipAccepted);
    if (!wantsPage(path, context)) return answerNotFound();
    if (page !== undefined) return sendFile(page, "/index.html", gzipAccepted);
    return new Response(notBuilt, { headers: { "content-type": contentTypes[".html"] ?? "" } });
  };
}

/** Files by the path of their address. Links are left out: they may lead anywhere. */
async function listFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [`/${relative(folder, path).split(sep).join("/")}`, path]));
}

/** Addresses of the API, and what a page asks for to load it, must not be answered with the page. */
function wantsPage(path: string, context: Context): boolean {
  return !path.startsWith("/api/") && (context.req.header("accept") ?? "").includes("text/html");
}

/** Types that compression makes smaller; fonts and pictures are compressed already. */
const compressible = /^text\/|json|svg/;

/** Compressed files by path: there are few, and each is asked for by every visitor. */
const compressed = new Map<string, Promise<Buffer>>();

async function sendFile(file: string, path: string, gzipAccepted: boolean): Promise<Response> {
  const contentType = contentTypes[extname(file)] ?? "application/octet-stream";
  const headers = new Headers({
    "content-type": contentType,
    // Vite puts a digest of the content into the names below /assets/.
    "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "accept-encoding",
  });
  if (!gzipAccepted || !compressible.test(contentType)) return new Response(await readFile(file), { headers });
  const body = compressed.get(file) ?? readFile(file).then((content) => compress(content));
  compressed.set(file, body);
  headers.set("content-encoding", "gzip");
  return new Response(await body, { headers });
}
