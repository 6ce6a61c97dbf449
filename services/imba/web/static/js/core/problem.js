// What went wrong, in the words of the API (RFC 9457), or in ours where the request never got an answer.

export class ApiProblem extends Error {
  /** document: the problem as it was sent. retryAfter: seconds, where the answer gave them. */
  constructor(document, { retryAfter = null } = {}) {
    super(document.title ?? "Something went wrong");
    this.name = "ApiProblem";
    this.status = document.status ?? 0;
    this.code = document.code ?? "";
    this.title = document.title ?? "Something went wrong";
    this.detail = document.detail ?? "";
    this.requestId = document.request_id ?? "";
    this.errors = document.errors ?? [];
    this.document = document;
    this.retryAfter = retryAfter;
  }
}

/** No answer came. For a POST the same key makes it safe to ask again. */
export class Unreachable extends Error {
  constructor() {
    super("The service cannot be reached");
    this.name = "Unreachable";
    this.title = navigator.onLine ? "The service did not answer" : "You are offline";
    this.detail = "Nothing you entered is lost. Try again when the connection is back.";
    this.status = 0;
    this.errors = [];
    this.requestId = "";
  }
}

/** The whole way to what an error points at: "seasons/0/end". */
export const placeOf = (error) => (error.pointer ?? error.parameter ?? "").replace(/^\//, "").replaceAll("~1", "/").replaceAll("~0", "~");

/** Where an error points: "/price_amount" and "price_amount" are both the field price_amount; "/amenities/3" too. */
export function fieldOf(error) {
  return placeOf(error).split("/")[0];
}

/** One sentence of help that the API cannot give, because it depends on what a person can do in this client. */
export function advice(problem) {
  if (problem.status === 412) return "Somebody changed it while you were looking. Load it again, then repeat your change.";
  if (problem.status === 429 && problem.retryAfter) return `Try again in ${problem.retryAfter} ${problem.retryAfter === 1 ? "second" : "seconds"}.`;
  if (problem.status === 404) return "It may have been taken away, or it is not yours to see.";
  if (problem.status >= 500) return "This is our fault. Try again; if it stays so, quote the request below.";
  return "";
}
