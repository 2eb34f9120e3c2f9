import { afterEach } from "vitest";

interface Stoppable {
  stop(): Promise<void>;
}

/** A function for the tests of a file: what it is given stops after the test, however that ends, the newest first. */
export function stoppedAfterEach(): <T extends Stoppable>(one: T) => T {
  const started: Stoppable[] = [];
  afterEach(async () => {
    for (const one of started.splice(0).reverse()) await one.stop();
  });
  return (one) => {
    started.push(one);
    return one;
  };
}
