/** What an answer has to be; anything else under its name is an error text. */
export type ExpectedForm =
  | "json"
  | "json or nothing"
  /** Text whose last line ends as the others do. */
  | "lines"
  | "text";

/**
 * Follows an answer as it comes, to tell a whole one from one that was cut off: `kubectl exec` whose connection broke, or
 * a server that closes where the length was not said, ends as if all were there.
 */
export interface AnswerEnd {
  see(bytes: Uint8Array): void;
  /** Whether the answer may end here. */
  isReached(): boolean;
}

export function answerEnd(form: ExpectedForm): AnswerEnd {
  switch (form) {
    case "json":
    case "json or nothing":
      return jsonEnd();
    case "lines":
      return lineEnd();
    case "text":
      return { see: () => undefined, isReached: () => true };
  }
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const newline = 0x0a;

/** Counts brackets outside strings; whether the text is valid JSON is for its parser to say. */
function jsonEnd(): AnswerEnd {
  let state = { depth: 0, inString: false, isEscaped: false };
  return {
    see: (bytes) => {
      let { depth, inString, isEscaped } = state; // locals: this runs for every byte
      for (const byte of bytes) {
        if (isEscaped) isEscaped = false;
        else if (byte === quote) inString = !inString;
        else if (inString) isEscaped = byte === backslash;
        else if (byte === openBrace || byte === openBracket) depth++;
        else if (byte === closeBrace || byte === closeBracket) depth--;
      }
      state = { depth, inString, isEscaped };
    },
    isReached: () => !state.inString && state.depth <= 0,
  };
}

function lineEnd(): AnswerEnd {
  let last = newline;
  return {
    see: (bytes) => {
      last = bytes.at(-1) ?? last;
    },
    isReached: () => last === newline,
  };
}
