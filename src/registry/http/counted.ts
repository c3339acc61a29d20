/** Counts what the routes answer. */
import type { MaybePromise } from "../maybe-promise.ts";
import type { Metrics } from "../metrics.ts";

/** What handlers get of Elysia's context, which prepares only what their source names. */
export interface RouteContext {
  request: Request;
  /** `user` is as the client sent it, percent-decoded. */
  params: { user?: string };
}

export type Handler = (context: RouteContext) => MaybePromise<unknown>;

/**
 * Counts a handler's responses, and the time until each begins; whatever it throws becomes a response too.
 * @param operation the `operationId`, or for files `docs` or `page`
 */
export type Counted = (operation: string, handle: Handler) => Handler;

/** @param refuse turns an error into a response */
export function createCounted(
  metrics: Metrics,
  refuse: (error: unknown, request: Request) => Response,
): Counted {
  return (operation, handle) =>
    ({ request, params }) => {
      const began = performance.now();
      function count(answer: unknown): unknown {
        const status = answer instanceof Response ? answer.status : 200;
        metrics.answered(operation, status, (performance.now() - began) / 1000);
        return answer;
      }
      const fail = (error: unknown) => count(refuse(error, request));
      let answer: MaybePromise<unknown>;
      try {
        answer = handle({ request, params });
        answer = answer instanceof Promise ? answer.then(count, fail) : count(answer);
      } catch (error) {
        answer = fail(error);
      }
      // Not `return fail(error)`: Elysia would take the handler for asynchronous, and await each answer.
      return answer;
    };
}
