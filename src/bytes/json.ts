/**
 * A JSON text of ours or of a server's: of a repeated key it takes the last, so it is not for the files of users.
 *
 * @returns undefined if the text is no JSON; the parser's message would quote it
 */
export function parseJson(text: string): unknown {
  try {
    // eslint-disable-next-line no-restricted-syntax -- the one place
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
