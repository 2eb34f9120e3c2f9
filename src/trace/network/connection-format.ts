/** Format strings where there is a connection and no request: of listener filters, network filters and tunnels. */
import { child, field, type Message } from "../../snapshot/message.js";
import type { AcceptedSocket } from "../listener/accepted-socket.js";
import type { EnvoyMinor, MatchContext } from "../match-context.js";
import { format } from "../route/formatters.js";
import { unknown, type Unknown } from "../unknown.js";

/** An operator, or an escaped percent sign. */
const operator = /%[A-Z][A-Z0-9_]{0,60}(?:\([^)]{0,1024}\))?(?::\d{1,6})?%|%%/g;

/** The text, or the first thing that would have to be known. @param missing stands for a value that is not there */
export function formatForConnection(
  template: string,
  socket: AcceptedSocket,
  envoy: EnvoyMinor,
  missing = "-",
): string | Unknown {
  const context = contextOf(socket, envoy);
  let result = "";
  let at = 0;
  for (const { 0: piece, index } of template.matchAll(operator)) {
    const { text: value, unknowns } = format(piece, { request: [], response: null, context, entry: null });
    const [problem] = unknowns;
    if (problem !== undefined) return problem;
    result += template.slice(at, index) + (value === "" ? missing : value);
    at = index + piece.length;
  }
  const rest = template.slice(at);
  if (rest.includes("%"))
    return unknown("expression", `The format ${JSON.stringify(template)} is not understood.`);
  return result + rest;
}

/** What a connection offers before its filter chain has done anything. */
function contextOf(socket: AcceptedSocket, envoy: EnvoyMinor): MatchContext {
  const { destination, directSource, source, serverName, dynamicMetadata, filterState, isComplete } = socket;
  const isPortKnown = (peer: AcceptedSocket["source"]): boolean => peer === "unknown" || peer?.port !== 0;
  const tls = serverName === "" ? null : ({ sni: serverName, alpn: [], certificate: "unknown" } as const);
  return {
    headers: [],
    connection: {
      destination,
      source: isPortKnown(source) ? source : "unknown",
      directSource: isPortKnown(directSource) ? directSource : "unknown",
      tls,
      protocol: "other",
    },
    downstreamRemote: isPortKnown(source) ? source : "unknown",
    ...{ dynamicMetadata, filterState, isComplete },
    route: null,
    runtime: { value: () => undefined },
    random: null,
    envoy,
  };
}

/** The text of a `SubstitutionFormatString`; null where it is not of plain text in place. */
export function textFormat(message: Message | undefined): string | null {
  const inline =
    field(child(message, "text_format_source"), "inline_string") ?? field(message, "text_format");
  return typeof inline === "string" ? inline : null;
}
