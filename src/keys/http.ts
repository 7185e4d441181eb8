import * as http from "node:http";
import * as https from "node:https";
import { parseJson } from "../bytes/json.ts";

/** One request, and where its limits are. */
export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes to send, and what they are. */
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly agent?: http.Agent | undefined;
  readonly signal: AbortSignal;
  /** Largest answer that is read, in bytes; 1 MiB by default. */
  readonly maxAnswer?: number;
}

/** What was answered. */
export interface HttpResponse {
  readonly status: number;
  readonly text: string;
}

/** A request with a JSON body. */
export type JsonRequest = Omit<HttpRequest, "payload" | "contentType"> & { readonly body: unknown };

/** What was answered; `body` is undefined unless it is JSON. */
export interface JsonResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Answers of the services we ask have a few hundred bytes. */
const MAX_ANSWER = 1024 * 1024;

/**
 * Sends one request and reads the whole answer. Redirects are answers like any other: they are not followed, so that a
 * token goes to no host but the one it was meant for.
 *
 * @throws errors of the connection, with Node's codes; `ERR_ANSWER_TOO_LARGE`
 */
export function requestText(url: URL, options: HttpRequest): Promise<HttpResponse> {
  const { method, headers, payload, contentType, agent, signal, maxAnswer = MAX_ANSWER } = options;
  const start = url.protocol === "https:" ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const request = start(url, {
      method,
      agent,
      signal,
      headers: { ...headers, "content-type": contentType, "content-length": payload.length },
    });
    request.once("error", reject);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswer) response.destroy(Object.assign(new Error("too large"), { code: "ERR_ANSWER_TOO_LARGE" }));
        chunks.push(chunk);
      });
      response.once("error", reject);
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.end(payload);
  });
}

/** `requestText` with JSON both ways. */
export async function requestJson(url: URL, { body, ...options }: JsonRequest): Promise<JsonResponse> {
  const payload = Buffer.from(JSON.stringify(body));
  const { status, text } = await requestText(url, { ...options, payload, contentType: "application/json" });
  return { status, body: parseJson(text) };
}
