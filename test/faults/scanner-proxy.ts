import { createHttpService } from "@drydock/demo/http-service.ts";

/** What Clair answers about a layer, as far as tests look at it. */
export interface LayerAnswer {
  Layer?: {
    Name?: string;
    NamespaceName?: string;
    Features?: Array<{ Vulnerabilities?: Array<Record<string, unknown>> }>;
  };
}

/** A proxy before a scanner that changes what is said about layers. */
export interface ScannerProxy extends AsyncDisposable {
  url: string;
  /** How many requests have come. */
  readonly requests: number;
}

/** Starts a proxy whose answers with a body of JSON go through `change`. */
export async function startScannerProxy(target: string, change: (answer: LayerAnswer) => void): Promise<ScannerProxy> {
  let requests = 0;
  const http = createHttpService({
    name: "scanner proxy",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      requests++;
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method = "GET", url = "/", headers } = request;
      const type = headers["content-type"];
      const answer = await fetch(`${target}${url}`, {
        method,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        ...(type !== undefined && { headers: { "content-type": type } }),
      });
      let body = await answer.text();
      if (answer.ok && body !== "") {
        const changed: LayerAnswer = JSON.parse(body);
        change(changed);
        body = JSON.stringify(changed);
      }
      response.writeHead(answer.status, { "content-type": "application/json;charset=utf-8" }).end(body);
    },
  });
  await http.start();
  return {
    url: http.url,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => http.stop(),
  };
}
