// PostGraphile as its documentation recommends it in production: library mode, the Amber preset, the node adaptor of Grafserv, a pool, no GraphiQL,
// and row-level security with the member in a setting of the transaction. Prints its address once it listens; with --schema the SDL, and ends.
import { createServer } from "node:http";
import { printSchema } from "graphql";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const [connectionString, member, size] = process.argv.slice(2);

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"], poolConfig: { max: Number(size) } })],
  gather: { installWatchFixtures: false },
  grafast: { explain: false, context: () => ({ pgSettings: { role: "commons_reader", "commons.member": member } }) },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
};

const pgl = postgraphile(preset);
if (process.argv.includes("--schema")) {
  console.log(printSchema(await pgl.getSchema()));
  await pgl.release();
  process.exit(0);
}
const server = createServer();
await pgl.createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => console.log(`listening 127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
