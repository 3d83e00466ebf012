import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * What an address is to us.
 * - `public`: a host of the open Internet.
 * - `private`: this machine or a private network; reached only when its origin is written out in configuration.
 * - `refused`: never reached: metadata services, link-local, multicast, tunnels and everything not assigned to hosts.
 */
export type AddressKind = "public" | "private" | "refused";

/** Metadata services that answer inside an otherwise private range (AWS over IPv6, Alibaba Cloud). */
const metadataAddresses = new Set(["fd00:ec2::254", "100.100.100.200"]);

const privateRanges = new Set<string>(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");
const translated = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/**
 * Tells what an IPv4 or IPv6 address in text form is. Text that is no plain address is `refused`, as are the forms that
 * wrap an IPv4 address (`::/96`, 6to4, Teredo), but for IPv4-mapped addresses and NAT64, which count as what they wrap.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function kindOfAddress(text: string): AddressKind {
  // ipaddr.js would take `::127.0.0.1`, which belongs to ::/96, for the IPv4-mapped `::ffff:127.0.0.1`.
  if (isIP(text) === 0 || /^::\d+\./.test(text)) return "refused";
  const address = ipaddr.parse(text);
  if (metadataAddresses.has(address.toString())) return "refused";
  const range = address.range();
  if (privateRanges.has(range)) return "private";
  if (address instanceof ipaddr.IPv4) return range === "unicast" ? "public" : "refused";
  if (range === "ipv4Mapped") return kindOfAddress(address.toIPv4Address().toString());
  // A NAT64 network reaches every IPv4 host this way; only its public ones are let through.
  if (address.match(translated)) return kindOfAddress(lastFourBytes(address)) === "public" ? "public" : "refused";
  return range === "unicast" && address.match(globalUnicast) ? "public" : "refused";
}

function lastFourBytes(address: ipaddr.IPv6): string {
  return address.toByteArray().slice(-4).join(".");
}
