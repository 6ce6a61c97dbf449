// Fastify with its schemas, SQL by hand on pg.
import { randomUUID } from "node:crypto";
import jwt from "@fastify/jwt";
import Fastify from "fastify";
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = Fastify();
await app.register(jwt, { secret: process.env.TOKEN_SECRET, verify: { cache: process.env.TOKEN_CACHE === "1" } });

const texts = ["title", "description", "city", "kind", "price_currency"];
const integers = ["bedrooms", "bathrooms", "area_m2", "price_amount", "built_in"];
const numbers = ["latitude", "longitude"];
const given = [...texts, ...integers, ...numbers];
const typed = (names, type) => names.map((name) => [name, type]);
const fields = Object.fromEntries([
  ...typed(texts, { type: "string" }),
  ...typed(integers, { type: "integer" }),
  ...typed(numbers, { type: "number" }),
]);
const instant = { type: "string", format: "date-time" };
const stamps = { created_at: instant, updated_at: instant };
const property = { type: "object", properties: { id: { type: "string" }, ...fields, owner_id: { type: "string" }, ...stamps } };
const note = {
  type: "object",
  properties: { id: { type: "string" }, text: { type: "string" }, owner_id: { type: "string" }, ...stamps },
};
const user = {
  type: "object",
  properties: {
    id: { type: "string" },
    email: { type: "string" },
    full_name: { type: "string" },
    roles: { type: "array", items: { type: "string" } },
    is_active: { type: "boolean" },
    email_verified_at: { ...instant, nullable: true },
    ...stamps,
  },
};
const page = (items) => ({ type: "object", properties: { items: { type: "array", items } } });
const draft = { type: "object", properties: fields, required: given, additionalProperties: false };
const changes = { type: "object", properties: { price_amount: { type: "integer" } }, additionalProperties: false };
const listed = {
  type: "object",
  properties: {
    city: { type: "string" },
    kind: { type: "string" },
    bedrooms__gte: { type: "integer" },
    q: { type: "string" },
    limit: { type: "integer", default: 20 },
    offset: { type: "integer", default: 0 },
  },
};

const shown = `id, ${given.join(", ")}, owner_id, created_at, updated_at`;
const me = "SELECT id, email, full_name, roles, is_active, email_verified_at, created_at, updated_at FROM users WHERE id = $1";
const places = given.map((_, index) => `$${index + 3}`).join(", ");
const conditions = {
  city: (place) => `city = ${place}`,
  kind: (place) => `kind = ${place}`,
  bedrooms__gte: (place) => `bedrooms >= ${place}::int`,
  q: (place) => `to_tsvector('simple', title) @@ plainto_tsquery('simple', ${place})`,
};
const failed = (statusCode) => Object.assign(new Error(), { statusCode });

async function caller(request) {
  await request.jwtVerify();
  const { rows } = await pool.query({ name: "me", text: me, values: [request.user.sub] });
  if (!rows.length || !rows[0].is_active) throw failed(401);
  request.caller = rows[0];
}

app.get("/v1/status", async () => ({ status: "ok" }));

app.get("/v1/properties/:id", { schema: { response: { 200: property } } }, async (request, reply) => {
  const text = `SELECT ${shown}, row_version FROM properties WHERE id = $1`;
  const { rows } = await pool.query({ name: "one", text, values: [request.params.id] });
  if (!rows.length) throw failed(404);
  const tag = `"${rows[0].row_version}"`;
  reply.header("etag", tag);
  return request.headers["if-none-match"] === tag ? reply.code(304).send() : rows[0];
});

app.get("/v1/properties", { schema: { querystring: listed, response: { 200: page(property) } } }, async (request) => {
  const asked = Object.keys(conditions).filter((name) => request.query[name] !== undefined);
  const where = asked.map((name, index) => conditions[name](`$${index + 1}`)).join(" AND ");
  const { limit, offset } = request.query;
  const text =
    `SELECT ${shown} FROM properties ${where && `WHERE ${where}`} ORDER BY created_at DESC, id DESC ` +
    `LIMIT $${asked.length + 1} OFFSET $${asked.length + 2}`;
  const values = [...asked.map((name) => request.query[name]), limit, offset];
  return { items: (await pool.query({ name: `list ${asked}`, text, values })).rows };
});

app.post(
  "/v1/properties",
  { onRequest: caller, schema: { body: draft, response: { 201: property } } },
  async (request, reply) => {
    const text =
      `INSERT INTO properties (id, owner_id, ${given.join(", ")}, created_at, updated_at, row_version) ` +
      `VALUES ($1, $2, ${places}, now(), now(), 1) RETURNING ${shown}`;
    const values = [randomUUID(), request.caller.id, ...given.map((name) => request.body[name])];
    reply.code(201);
    return (await pool.query({ name: "insert", text, values })).rows[0];
  },
);

app.patch(
  "/v1/properties/:id",
  { onRequest: caller, schema: { body: changes, response: { 200: property } } },
  async (request, reply) => {
    const text =
      "UPDATE properties SET price_amount = $3, updated_at = now(), row_version = row_version + 1 " +
      `WHERE id = $1 AND row_version = $2 RETURNING ${shown}, row_version`;
    const version = Number(request.headers["if-match"].replaceAll('"', ""));
    const values = [request.params.id, version, request.body.price_amount];
    const { rows } = await pool.query({ name: "update", text, values });
    if (!rows.length) throw failed(412);
    reply.header("etag", `"${rows[0].row_version}"`);
    return rows[0];
  },
);

app.get("/v1/notes", { onRequest: caller, schema: { response: { 200: page(note) } } }, async (request) => {
  const text =
    "SELECT id, text, owner_id, created_at, updated_at FROM notes WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
  const values = [request.caller.id, Number(request.query.limit ?? 20)];
  return { items: (await pool.query({ name: "notes", text, values })).rows };
});

app.get("/v1/users/me", { onRequest: caller, schema: { response: { 200: user } } }, async (request) => request.caller);

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
process.on("SIGTERM", () => process.exit(0));
