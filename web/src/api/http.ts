/** Requests to the server that serves this page: the token, and errors as sentences. */

const KEEPS = "critiql-token";

/** What the server refuses or cannot do, in words for the person. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "ServerError";
  }
}

/** Take the token out of the address (`#token=...`), so that it is in no history and no copied link. */
export function takeToken(): void {
  const found = /^#token=([^&]+)$/.exec(location.hash);
  if (!found?.[1]) return;
  sessionStorage.setItem(KEEPS, decodeURIComponent(found[1]));
  history.replaceState(null, "", location.pathname);
}

/** The headers that carry the token; none where the server asks for none. */
export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(KEEPS);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Where the server is: the page's own origin. */
export const ORIGIN = location.origin;

/** Send a request; raises `ServerError` with the server's own sentence. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`${ORIGIN}${path}`, {
      ...init,
      headers: { ...authorization(), ...(init.headers as Record<string, string> | undefined) },
    });
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    throw new ServerError("The server does not answer. Is `critiql serve` still running?", 0);
  }
  if (!answer.ok) throw new ServerError(await sentenceOf(answer), answer.status);
  return answer;
}

/** Fetch JSON. */
export async function get<T>(path: string, query: Record<string, string> = {}, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams(query).toString();
  return (await (await request(search ? `${path}?${search}` : path, { signal })).json()) as T;
}

/** Send JSON and read JSON. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await postFor(path, body, signal)).json()) as T;
}

/** Send JSON and get the answer as it is. */
export function postFor(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Whether something ended because the person stopped it. */
export function wasStopped(failure: unknown): boolean {
  return failure instanceof DOMException && failure.name === "AbortError";
}

/** An error in words, whatever was thrown. */
export function inWords(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

async function sentenceOf(answer: Response): Promise<string> {
  if (answer.status === 401) return "The server asks for its token: open the link that `critiql serve` printed.";
  try {
    const said = (await answer.json()) as { error?: { message?: string }; detail?: string };
    return said.error?.message ?? (typeof said.detail === "string" ? said.detail : bare(answer));
  } catch {
    return bare(answer);
  }
}

function bare(answer: Response): string {
  return `The server answered ${answer.status} ${answer.statusText}.`.replace(" .", ".");
}
