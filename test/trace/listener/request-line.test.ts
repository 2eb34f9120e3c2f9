import { describe, expect, it } from "vitest";

import { runListenerFilters } from "../../../src/trace/listener/listener-filters.js";
import { aSocket } from "./builders.js";

const listener = { listener_filters: [{ name: "envoy.filters.listener.http_inspector" }] };

const protocolsOf = (method: string, target: string, envoy = 36): readonly string[] =>
  runListenerFilters(
    listener,
    aSocket(),
    { proxyHeader: null, tls: null, protocol: "http/1.1", requestLine: { method, target } },
    { originalDestination: null, extensionConfig: () => null, envoy },
  ).socket.applicationProtocols;

describe("http_inspector", () => {
  it.each([
    ["GET", "/"],
    ["M-SEARCH", "/x"],
    ["OPTIONS", "*"],
    ["GET", "http://a.com/x"],
    ["CONNECT", "a.com:443"],
  ])("knows %s %s", (method, target) => {
    expect(protocolsOf(method, target)).toEqual(["http/1.1"]);
  });

  it.each([
    ["FOO", "/", "no such method"],
    ["get", "/", "methods are in capitals"],
    ["GET", "x", "a path begins with a slash"],
    ["GET", "", "there has to be a target"],
    ["GET", "mailto:x", "a URL has two slashes"],
  ])("does not take %s %s for HTTP: %s", (method, target) => {
    expect(protocolsOf(method, target)).toEqual([]);
  });

  it("takes every method since 1.39", () => {
    expect(protocolsOf("FOO", "/", 38)).toEqual([]);
    expect(protocolsOf("FOO", "/", 39)).toEqual(["http/1.1"]);
  });
});
