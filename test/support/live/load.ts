/** How many requests were under way at once. */
export interface Load {
  readonly inFlight: number;
  readonly peak: number;
}

export interface LoadGauge extends Load {
  /** Counts one more until the function that it gives is called. */
  enter(): () => void;
}

export function loadGauge(): LoadGauge {
  let inFlight = 0;
  let peak = 0;
  return {
    get inFlight() {
      return inFlight;
    },
    get peak() {
      return peak;
    },
    enter: () => {
      inFlight += 1;
      peak = Math.max(peak, inFlight);
      return () => {
        inFlight -= 1;
      };
    },
  };
}
