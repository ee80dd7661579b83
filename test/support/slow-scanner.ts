import { createHttpService, type HttpService } from "@drydock/demo/http-service.ts";

/** What Clair answers when reading a layer took it too long. */
export const tooLate = { Error: { Message: "Clair failed to respond within the configured timeout window." } };

/**
 * Makes a proxy before a scanner that lets it read each layer to its end, and answers that it did not in its time, as Clair
 * does. With a limit it passes on the posts of that number of layers, and answers for each other one that it takes too long.
 */
export function createSlowScanner(target: string, maxLayers = Number.POSITIVE_INFINITY): HttpService {
  let layers = 0;
  return createHttpService({
    name: "slow scanner",
    listen: "127.0.0.1:0",
    answer: async (request, response) => {
      const isPost = request.method === "POST";
      const body = isPost ? Buffer.concat(await Array.fromAsync(request)) : null;
      if (isPost && layers >= maxLayers) {
        response.writeHead(503).end(JSON.stringify(tooLate));
        return;
      }
      const answer = await fetch(`${target}${request.url}`, { method: request.method ?? "GET", body });
      const text = await answer.text();
      if (isPost && answer.status === 201) {
        layers++;
        response.writeHead(503).end(JSON.stringify(tooLate));
      } else response.writeHead(answer.status).end(text);
    },
  });
}
