import type { IncomingMessage } from "node:http";
import type { Service } from "@drydock/shared/lifecycle.ts";
import { createHttpService } from "../http-service.ts";
import { intersect, parseScopes, type Right, type User } from "./access.ts";
import { createAccessToken } from "./access-token.ts";
import { createSelfSignedCertificate, type SelfSignedCertificate } from "./self-signed-certificate.ts";

/** How to make a token server. */
export interface TokenServerOptions {
  users: User[];
  /** Where it listens, host:port. Default: a free port of 127.0.0.1. */
  listen?: string;
  /** What tokens are signed with. Default: one that it makes. */
  certificate?: SelfSignedCertificate;
  /** What everybody may do without a name. Default: they are refused. */
  anonymous?: Right[];
  /** After how many seconds the registry refuses a token; see TokenAnswer. Default 300. */
  lifetimeSeconds?: number;
  /** What the answer says about the lifetime. Default: the truth. */
  expiresInSeconds?: number;
  /** For tests: sees every request before it is answered, may delay it, and may change the answer. */
  onToken?: (request: TokenRequest) => Promise<TokenAnswer | undefined>;
}

/** A request for a token. */
export interface TokenRequest {
  /** The user as the request names it, whether right or wrong; empty for nobody. */
  account: string;
  service: string;
  scopes: string[];
}

/** What a test wants answered. */
export interface TokenAnswer {
  /** Refuse with this HTTP status. */
  status?: number;
  /**
   * The registry refuses the token after this whole number of seconds, counted from the beginning of this second. The
   * leeway of 60 seconds that it gives to every token is taken into account: with 0 it refuses the token at once.
   */
  lifetimeSeconds?: number;
  /** What the answer says about the lifetime. */
  expiresInSeconds?: number;
}

/** Gives tokens for a registry to those who may have them. */
export interface TokenServer extends Service {
  /** The realm; to be read after start. */
  readonly url: string;
  /** The name of the registry that the tokens are for. */
  readonly service: string;
  /** Who makes the tokens. */
  readonly issuer: string;
  /** With what the registry checks the tokens, as PEM. */
  readonly certificate: string;
  /** The last 10,000 requests, refused ones too. */
  readonly requests: TokenRequest[];
}

/** Makes the token server (https://distribution.github.io/distribution/spec/auth/token/); start it before use. */
export function createTokenServer(options: TokenServerOptions): TokenServer {
  const certificate = options.certificate ?? createSelfSignedCertificate(tokenIssuer);
  const requests: TokenRequest[] = [];
  const http = createHttpService({
    name: "token server",
    listen: options.listen ?? "127.0.0.1:0",
    answer: async (request, response) => {
      const { status, body } = await answerToken({ options, certificate, requests }, request);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    },
  });
  return {
    name: http.name,
    service,
    issuer: tokenIssuer,
    certificate: certificate.pem,
    requests,
    get url() {
      return `${http.url}/token`;
    },
    start: http.start,
    stop: http.stop,
  };
}

const maxRequests = 10_000;
const service = "drydock-sample-registry";
/** Who makes the tokens. */
export const tokenIssuer = "drydock-token-server";

interface Deps {
  options: TokenServerOptions;
  certificate: SelfSignedCertificate;
  requests: TokenRequest[];
}

interface Reply {
  status: number;
  body: object;
}

async function answerToken({ options, certificate, requests }: Deps, request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://token-server");
  if (url.pathname !== "/token" || request.method !== "GET") return refusal(404);
  const { username, password } = readBasic(request.headers.authorization);
  const scopes = url.searchParams.getAll("scope");
  const asked = { account: username, service: url.searchParams.get("service") ?? "", scopes };
  requests.push(asked);
  if (requests.length > maxRequests) requests.shift();
  const wanted = (await options.onToken?.(asked)) ?? {};
  if (wanted.status !== undefined) return refusal(wanted.status);
  const user = options.users.find((known) => known.username === username && known.password === password);
  const rights = username === "" ? options.anonymous : user?.rights;
  if (rights === undefined) return refusal(401);
  const lifetimeSeconds = wanted.lifetimeSeconds ?? options.lifetimeSeconds ?? 300;
  const issuedAtMs = Date.now();
  const token = createAccessToken(
    {
      issuer: tokenIssuer,
      audience: service,
      subject: username,
      access: intersect(parseScopes(scopes), rights),
      issuedAtMs,
      refusedFromMs: issuedAtMs + lifetimeSeconds * 1000,
    },
    certificate,
  );
  const expiresInSeconds = wanted.expiresInSeconds ?? options.expiresInSeconds ?? lifetimeSeconds;
  return { status: 200, body: { token, expires_in: expiresInSeconds, issued_at: new Date(issuedAtMs).toISOString() } };
}

function refusal(status: number): Reply {
  return { status, body: { errors: [{ code: "UNAUTHORIZED", message: "no token is given" }] } };
}

function readBasic(header: string | undefined): { username: string; password: string } {
  const text = Buffer.from(/^Basic (.+)$/i.exec(header ?? "")?.[1] ?? "", "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0
    ? { username: "", password: "" }
    : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
