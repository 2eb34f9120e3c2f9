/** Answers that Envoy gives by itself, as filters send them: before `local_reply_config` and gRPC turn them (delivered-reply.ts). */
import type { HeaderList } from "../request.js";
import type { ResponseFlag } from "../result.js";

export interface LocalReply {
  readonly status: number;
  readonly responseFlags: readonly ResponseFlag[];
  /** `response_code_details` up to its first "{"; "" where it has none, or where its text hangs on what is not known. */
  readonly detail: string;
  readonly body: string;
  /** What the sender adds to the response; names in lower case. */
  readonly headers: HeaderList;
  /** For gRPC requests, where the sender names one; null: by the status. */
  readonly grpcStatus: number | null;
  /** Whether it goes to the client as it is: answers that filters encode themselves pass no mapper. */
  readonly isFinal: boolean;
  /** Whether it answers what the health check filter took for a health check. */
  readonly isHealthCheck: boolean;
}

/** A local reply from what is particular about it. */
export function localReply(
  status: number,
  detail: string,
  rest: Partial<Omit<LocalReply, "status" | "detail">> = {},
): LocalReply {
  return {
    status,
    responseFlags: [],
    detail: upToBrace(detail),
    body: "",
    headers: [],
    grpcStatus: null,
    isFinal: false,
    isHealthCheck: false,
    ...rest,
  };
}

function upToBrace(detail: string): string {
  const brace = detail.indexOf("{");
  return brace < 0 ? detail : detail.slice(0, brace);
}
