import { createServer } from "node:net";
import { readIfPresent, writeOwnedFile } from "./owned-files.ts";

/** The remembered port when nobody listens there, else a free one; remembered from now on. */
export async function choosePort(stateFile: string): Promise<number> {
  const remembered = await readPort(stateFile);
  const port = (remembered !== undefined && (await tryPort(remembered))) || (await tryPort(0));
  if (port === undefined) throw new Error("the operating system gave no free port on 127.0.0.1");
  if (port !== remembered) await writeOwnedFile(stateFile, `${JSON.stringify({ port })}\n`);
  return port;
}

/** Makes the next {@link choosePort} take another port. */
export async function forgetPort(stateFile: string): Promise<void> {
  await writeOwnedFile(stateFile, "{}\n");
}

async function readPort(stateFile: string): Promise<number | undefined> {
  try {
    const { port } = JSON.parse((await readIfPresent(stateFile)) ?? "{}") as { port?: unknown };
    return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch (error) {
    // A damaged state file costs nothing but the port's number.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Listens for a moment and gives the port; 0 lets the system choose. `undefined` when it is taken. */
async function tryPort(port: number): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    // Exclusive: in a cluster worker, Node would share the port with the other workers.
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}
