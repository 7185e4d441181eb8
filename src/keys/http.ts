import * as http from "node:http";
import * as https from "node:https";

/** A request with a JSON body, and where its limits are. */
export interface JsonRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly agent?: http.Agent | undefined;
  readonly signal: AbortSignal;
}

/** What was answered; `body` is undefined unless it is JSON. */
export interface JsonResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Answers of the services we ask have a few hundred bytes. */
const MAX_ANSWER = 1024 * 1024;

/**
 * Sends one request and reads the whole answer, at most 1 MiB. Redirects are answers like any other: they are not
 * followed, so that a token goes to no host but the one it was meant for.
 *
 * @throws errors of the connection, with Node's codes; `ERR_ANSWER_TOO_LARGE`
 */
export function requestJson(url: URL, { method, headers, body, agent, signal }: JsonRequest): Promise<JsonResponse> {
  const payload = Buffer.from(JSON.stringify(body));
  const start = url.protocol === "https:" ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const request = start(url, {
      method,
      agent,
      signal,
      headers: { ...headers, "content-type": "application/json", "content-length": payload.length },
    });
    request.once("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER)
          response.destroy(Object.assign(new Error("too large"), { code: "ERR_ANSWER_TOO_LARGE" }));
        chunks.push(chunk);
      });
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body: parseOrUndefined(Buffer.concat(chunks).toString("utf8")) });
      });
    });
    request.end(payload);
  });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
