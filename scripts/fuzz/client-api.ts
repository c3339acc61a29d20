import { Message } from "../../src/core/schemas.ts";

/** What a client listens to on HTTP, in the form in which the registry's document describes its own API. */
export const clientDocument = {
  paths: {
    "/v1/health": { get: {} },
    "/v1/message": { post: { requestBody: { content: { "application/json": { schema: Message } } } } },
  },
};
