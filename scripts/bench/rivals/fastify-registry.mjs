/** A typical registry on Fastify and Node: routes with schemas, and a Map. */
import fastify from "fastify";

const users = new Map();
let list;
let version = 0;

const address = {
  type: "object",
  required: ["protocol", "host", "port"],
  properties: {
    protocol: { enum: ["HTTP", "WEBSOCKET", "UDP"] },
    host: { anyOf: [{ format: "ipv4" }, { format: "ipv6" }, { pattern: "^[a-zA-Z0-9_.-]{1,253}$" }] },
    port: { type: "integer", minimum: 1, maximum: 65535 },
  },
};
const user = { type: "string", pattern: "^[a-zA-Z0-9_.-]{1,64}$" };
const ok = { 200: { type: "object", properties: { status: { type: "string" } } } };
const app = fastify();

app.get("/v1/users/", (request, reply) => {
  const etag = `"${version}"`;
  reply.header("etag", etag);
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  list ??= JSON.stringify(Object.fromEntries(users));
  return reply.type("application/json").send(list);
});

app.post(
  "/v1/users",
  {
    schema: {
      body: { type: "object", required: ["user", "address"], properties: { user, address } },
      response: ok,
    },
  },
  async (request, reply) => {
    if (users.has(request.body.user)) return reply.code(409).send({ status: "error" });
    put(request.body.user, request.body.address);
    return { status: "ok" };
  },
);

app.put(
  "/v1/users/:user",
  { schema: { params: { type: "object", properties: { user } }, body: address, response: ok } },
  async (request) => {
    put(request.params.user, request.body);
    return { status: "ok" };
  },
);

process.stdout.write(`ready at ${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);

function put(user, address) {
  users.set(user, address);
  list = undefined;
  version++;
}
