/** The least Bun code that stores users in Redis: `bun bare-redis.mjs redis://…`. The client pipelines its commands. */
const redis = new Bun.RedisClient(process.argv[2]);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/v1/users/:user": {
      async PUT(request) {
        await redis.hset("bare", request.params.user, JSON.stringify(await request.json()));
        return Response.json({ status: "ok" });
      },
    },
  },
});
process.stdout.write(`ready at http://127.0.0.1:${server.port}\n`);
