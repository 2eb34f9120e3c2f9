import { expect, it } from "vitest";

import { evaluateGrpcWeb } from "../../../src/trace/filters/grpc-web.js";
import { evaluate, headersOf } from "./filter-builders.js";

it("makes a request of gRPC out of one of gRPC-Web", () => {
  const headers = headersOf({ "content-type": "application/grpc-web+proto", "content-length": "5", x: "1" });
  expect(evaluate(evaluateGrpcWeb, {}, { headers }).changes.headers).toEqual(
    headersOf({
      "content-type": "application/grpc",
      x: "1",
      te: "trailers",
      "grpc-accept-encoding": "identity",
    }),
  );
});

it("keeps an encoding that is asked for", () => {
  const own = { "content-type": "application/grpc-web", "grpc-accept-encoding": "gzip" };
  const { changes } = evaluate(evaluateGrpcWeb, {}, { headers: headersOf(own) });
  expect(changes.headers?.filter(([name]) => name === "grpc-accept-encoding")).toEqual([
    ["grpc-accept-encoding", "gzip"],
  ]);
});

it("leaves other requests alone", () => {
  const headers = headersOf({ "content-type": "application/grpc" });
  expect(evaluate(evaluateGrpcWeb, {}, { headers }).changes).toEqual({});
});
