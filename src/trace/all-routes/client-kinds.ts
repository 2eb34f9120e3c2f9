/** Clients by what the listeners of a mesh make of their certificates: those of one kind are taken, or refused, alike. */
import { child, children, type Message } from "../../snapshot/message.js";
import { acceptTls } from "../downstream-tls.js";
import type { TlsClient } from "../request.js";

type Certificate = TlsClient["certificate"];

/** Where a mesh asks for more different things of certificates, each certificate is a kind of its own. */
const mostContexts = 100;

export class ClientKinds {
  readonly #chains: readonly Message[];
  readonly #known = new Map<string, string>();

  /** @param listeners all that connections may come to; each may stand there often */
  constructor(listeners: Iterable<Message>) {
    const found = new Map<string, Message>();
    for (const listener of new Set(listeners))
      for (const chain of [...children(listener, "filter_chains"), child(listener, "default_filter_chain")]) {
        const socket = child(chain, "transport_socket");
        if (socket !== undefined) found.set(JSON.stringify(socket), { transport_socket: socket });
      }
    this.#chains = [...found.values()];
  }

  of(certificate: Certificate): string {
    const whole = JSON.stringify(certificate);
    if (certificate === null || certificate === "unknown" || this.#chains.length > mostContexts) return whole;
    const known = this.#known.get(whole) ?? this.#taken(certificate);
    this.#known.set(whole, known);
    return known;
  }

  #taken(certificate: Certificate): string {
    const tls: TlsClient = { sni: "", alpn: [], certificate };
    return JSON.stringify(this.#chains.map((chain) => acceptTls(chain, tls)));
  }
}
