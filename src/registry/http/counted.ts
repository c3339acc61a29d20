/** Counts what the routes answer. */
import type { MaybePromise } from "../maybe-promise.ts";
import type { Metrics } from "../metrics.ts";

/** What handlers get of Elysia's context, which prepares only what their source names. */
export interface RouteContext {
  request: Request;
  /** `user` is as the client sent it, percent-decoded. */
  params: { user?: string };
}

export type RouteHandler = (context: RouteContext) => MaybePromise<unknown>;

/**
 * Counts a handler's responses, and the time until each begins; whatever it throws becomes a response too.
 * @param operation the `operationId`, or for files `docs` or `page`
 */
export type Counted = (operation: string, handle: RouteHandler) => RouteHandler;

/** @param refuse turns an error into a response */
export function createCounted(
  metrics: Metrics,
  refuse: (error: unknown, request: Request) => Response,
): Counted {
  return (operation, handle) => {
    const record = metrics.recorder(operation);

    function count(answer: unknown, began: number): unknown {
      record(answer instanceof Response ? answer.status : 200, (performance.now() - began) / 1000);
      return answer;
    }

    const countLater = (answer: Promise<unknown>, began: number, request: Request) =>
      answer.then(
        (found) => count(found, began),
        (error) => count(refuse(error, request), began),
      );

    return ({ request, params }) => {
      const began = performance.now();
      let answer: MaybePromise<unknown>;
      try {
        answer = handle({ request, params });
      } catch (error) {
        answer = refuse(error, request);
      }
      // Elysia reads this source: with a plain call behind `return` it would await what is there at once.
      return answer instanceof Promise ? countLater(answer, began, request) : count(answer, began);
    };
  };
}
