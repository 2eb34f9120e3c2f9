import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until no other process on this machine runs a set of Envoys. Every subscription to a file is one of the few inotify
 * instances that Linux lets a user have (`fs.inotify.max_user_instances`, 128): one set takes most of them, and Envoy aborts
 * where there is none left.
 * @returns ends the turn; it ends with the process, too
 */
export async function envoysTurn(): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return () => Promise.resolve();
  for (;;) {
    const server = createServer();
    try {
      server.listen("\0istio-snapshot-test-envoys"); // a name that is gone with whoever listens there
      await once(server, "listening");
      server.unref();
      return async () => {
        const closed = once(server, "close");
        server.close();
        await closed;
      };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      await sleep(100);
    }
  }
}
