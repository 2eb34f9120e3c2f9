import { describe, expect, it } from "vitest";

import { isUpgrade, upgradeDecision, withoutExtendedConnect } from "../../../src/trace/http/upgrade.js";
import type { HeaderList } from "../../../src/trace/request.js";

const websocket: HeaderList = [
  [":method", "GET"],
  ["connection", "Upgrade"],
  ["upgrade", "WebSocket"],
];
const connect: HeaderList = [[":method", "CONNECT"]];
const allowing = (upgrade_type: string, more: object = {}) => ({
  upgrade_configs: [{ upgrade_type, ...more }],
});

describe("an upgrade", () => {
  it.each([
    ["no upgrade", [[":method", "GET"]] as const, allowing("websocket"), undefined, "none"],
    ["allowed by the manager, in any case", websocket, allowing("websocket"), undefined, "allowed"],
    ["allowed by nobody", websocket, {}, undefined, "refused"],
    ["of another kind", websocket, allowing("connect"), undefined, "refused"],
    ["switched off", websocket, allowing("websocket", { enabled: false }), undefined, "refused"],
    [
      "refused by the route",
      websocket,
      allowing("websocket"),
      allowing("websocket", { enabled: false }),
      "refused",
    ],
    ["allowed by the route", websocket, {}, allowing("websocket"), "allowed"],
    [
      "allowed by the route over the manager",
      websocket,
      allowing("websocket", { enabled: false }),
      allowing("websocket"),
      "allowed",
    ],
    ["CONNECT is one", connect, {}, undefined, "refused"],
    ["CONNECT that is allowed", connect, allowing("CONNECT"), undefined, "allowed"],
  ])("%s", (_, headers, manager, route, expected) => {
    expect(upgradeDecision(headers, manager, route).kind).toBe(expected);
  });

  it("may have filters of its own", () => {
    const filters = [{ name: "router" }];
    expect(upgradeDecision(websocket, allowing("websocket", { filters }), undefined)).toMatchObject({
      filters,
    });
    expect(upgradeDecision(websocket, allowing("websocket"), undefined)).toMatchObject({ filters: null });
  });

  it("is one only with both headers", () => {
    expect(isUpgrade(websocket)).toBe(true);
    expect(isUpgrade([["upgrade", "websocket"]])).toBe(false);
    expect(isUpgrade([["connection", "upgrade"]])).toBe(false);
    expect(
      isUpgrade([
        ["connection", "x, upgrade "],
        ["upgrade", "x"],
      ]),
    ).toBe(true);
  });
});

it("an extended CONNECT becomes the upgrade that it stands for", () => {
  const extended: HeaderList = [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":path", "/chat"],
  ];
  expect(withoutExtendedConnect(extended)).toEqual([
    [":method", "GET"],
    [":path", "/chat"],
    ["upgrade", "websocket"],
    ["connection", "upgrade"],
  ]);
  expect(withoutExtendedConnect(connect)).toBe(connect);
});
