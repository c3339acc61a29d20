/** The least Bun code that does a registry's job, without any validation. */
const users = new Map();
let list;
let version = 0;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/v1/users/": {
      GET(request) {
        const etag = `"${version}"`;
        if (request.headers.get("if-none-match") === etag)
          return new Response(null, { status: 304, headers: { etag } });
        list ??= JSON.stringify(Object.fromEntries(users));
        return new Response(list, { headers: { etag, "content-type": "application/json" } });
      },
    },
    "/v1/users": {
      async POST(request) {
        const { user, address } = await request.json();
        if (users.has(user)) return Response.json({ status: "error" }, { status: 409 });
        put(user, address);
        return Response.json({ status: "ok" });
      },
    },
    "/v1/users/:user": {
      async PUT(request) {
        put(request.params.user, await request.json());
        return Response.json({ status: "ok" });
      },
    },
  },
});
process.stdout.write(`ready at http://127.0.0.1:${server.port}\n`);

function put(user, address) {
  users.set(user, address);
  list = undefined;
  version++;
}
