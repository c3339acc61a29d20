import { Message } from "../../src/core/schemas.ts";

/** A client's HTTP API, described like the registry's in its OpenAPI document. */
export const clientDocument = {
  paths: {
    "/v1/health": { get: {} },
    "/v1/message": { post: { requestBody: { content: { "application/json": { schema: Message } } } } },
  },
};
