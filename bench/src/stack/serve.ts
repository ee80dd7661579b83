import type { Answer, Call, Method } from "./remote-api.ts";

/** Lets the parent process call these methods, until it closes the channel or is gone; then this process ends. */
export function serve<A extends object>(api: A): void {
  const methods = new Map(Object.entries(api as Record<string, Method>));
  const say = (answer: Answer) => process.connected && process.send?.(answer);
  process.on("message", async ({ id, name, args }: Call) => {
    try {
      const value = await methods.get(name)?.(...(args as never[]));
      say({ id, value });
    } catch (error) {
      say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once("disconnect", () => process.exit(0));
  say({ ready: true });
}
