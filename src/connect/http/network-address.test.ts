import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kindOfAddress } from "./network-address.ts";

describe("kindOfAddress", () => {
  it.each(["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])(
    "lets %s through as public",
    (address) => expect(kindOfAddress(address)).toBe("public"),
  );

  it.each(["127.0.0.1", "127.127.127.127", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fc00::1"])(
    "tells %s as private",
    (address) => expect(kindOfAddress(address)).toBe("private"),
  );

  it.each([
    ["metadata of the clouds", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254"]],
    ["nowhere and everyone", ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "ff02::1"]],
    ["link-local and site-local", ["fe80::1", "fe80::1%eth0", "fec0::1"]],
    ["reserved and example ranges", ["192.0.0.192", "192.0.2.1", "198.18.0.1", "240.0.0.1", "2001:db8::1"]],
    ["wrapped IPv4 addresses", ["::127.0.0.1", "::1.1.1.1", "2002:7f00:1::", "2001:0:7f00:1::", "::ffff:0:1.1.1.1"]],
    ["a private host behind NAT64", ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::1"]],
    ["what is no plain address", ["", "localhost", "127.1", "0x7f000001", "2130706433", "127.0.0.1.", "[::1]"]],
  ])("never reaches %s", (_what, addresses) => {
    expect(addresses.map((address) => `${address} ${kindOfAddress(address)}`)).toEqual(
      addresses.map((address) => `${address} refused`),
    );
  });

  it("sees through the IPv4-mapped form of every IPv4 address", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(kindOfAddress(`::ffff:${address}`)).toBe(kindOfAddress(address));
      }),
    );
  });

  it("answers every text and every IPv6 address without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => {
        expect(["public", "private", "refused"]).toContain(kindOfAddress(text));
      }),
    );
  });
});
