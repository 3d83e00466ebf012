import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { callbackify } from "node:util";
import { buildConnector } from "undici";
import { SluiceError } from "../../core/index.ts";
import { checkAddress, refusal, type EgressPolicy } from "./egress-policy.ts";

/** Gives every IPv4 and IPv6 address of a host name. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** What {@link createGuardedConnector} takes. */
export interface GuardedConnectorOptions {
  readonly policy: EgressPolicy;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup | undefined;
  readonly connectTimeoutMs: number;
}

/**
 * Makes the function with which undici opens its sockets: it resolves the name once, refuses when any answer is not to be
 * reached, connects to exactly the answers it checked (so that a second, different answer is never asked for), and checks
 * the address that the socket ended at.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const resolve = options.lookup ?? resolveWithSystem;
  return (target, callback) => {
    const origin = new URL(`${target.protocol}//${target.host ?? target.hostname}`).origin;
    const check = (address: string): void => checkAddress(options.policy, origin, address);
    const connect = async (): Promise<Socket> => {
      const addresses = isIP(target.hostname) === 0 ? await resolve(target.hostname) : [target.hostname];
      if (addresses.length === 0) throw refusal(target.hostname, "its name has no address");
      addresses.forEach(check);
      const socket = await open(target, addresses, options.connectTimeoutMs);
      return verified(socket, check);
    };
    callbackify(connect)((error: Error | null, socket) => {
      if (error === null) callback(null, socket);
      else callback(error, null);
    });
  };
}

function open(target: buildConnector.Options, addresses: readonly string[], timeout: number): Promise<Socket> {
  // A connector for each socket, because the looked-up addresses are part of its settings.
  const connect = buildConnector({ lookup: answering(addresses), timeout, allowH2: false, maxCachedSessions: 0 });
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => (error === null ? resolve(socket) : reject(error)));
  });
}

function verified(socket: Socket, check: (address: string) => void): Socket {
  try {
    if (socket.remoteAddress === undefined) {
      throw new SluiceError("EGRESS_FAILED", { message: "the connection closed as soon as it was open" });
    }
    check(socket.remoteAddress);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function answering(addresses: readonly string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = answers;
    if (options.all === true) callback(null, answers);
    else callback(null, first?.address ?? "", first?.family);
  };
}

async function resolveWithSystem(hostname: string): Promise<readonly string[]> {
  const answers = await systemLookup(hostname, { all: true });
  return answers.map((answer) => answer.address);
}
